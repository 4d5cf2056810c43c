#!/bin/sh
# Makes the .bin of a NEW golden message. Never run it over a released one: those bytes are what old
# publishers send, and must decode as they are.
set -eu
cd "$(dirname "$0")"
for text in "$@"; do
  case "$text" in
    header.txtpb) message=Header ;;
    reply.txtpb) message=Reply ;;
    *) message=Payload ;;
  esac
  protoc -I ../../../proto --encode="detwatch.v1.$message" ../../../proto/detwatch/v1/detwatch.proto \
    <"$text" >"${text%.txtpb}.bin"
done
