#!/usr/bin/python3
"""Checks what can be checked of deploy/compose.yml and the Dockerfile without a container engine: they parse,
every mounted or copied file exists, volumes are declared, ports stay on loopback, and images have a fixed tag."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def compose_problems(compose):
    for name, service in compose["services"].items():
        if "image" in service and not re.search(r":[^:/]*\d", service["image"]):
            yield f"{name}: {service['image']} has no fixed tag"
        if "build" in service:
            context = DEPLOY / service["build"]["context"]
            if not (context / service["build"]["dockerfile"]).is_file():
                yield f"{name}: no Dockerfile"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (DEPLOY / source).exists():
                    yield f"{name}: {source} does not exist"
            elif source not in compose.get("volumes", {}):
                yield f"{name}: volume {source} is not declared"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: port {port} is open to other machines"
        for other in service.get("depends_on", []):
            if other not in compose["services"]:
                yield f"{name}: depends on {other}, which is not there"


def dockerfile_problems(text):
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            for source in words[1:-1]:
                if not (ROOT / source).exists():
                    yield f"Dockerfile copies {source}, which does not exist"
    if not re.search(r"^USER ", text, re.MULTILINE):
        yield "Dockerfile: the daemon would run as root"


def main():
    problems = []
    for path in sorted(DEPLOY.rglob("*.yml")):
        try:
            yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            problems.append(f"{path.relative_to(ROOT)}: {error}")
    if not problems:
        problems += compose_problems(yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8")))
        problems += dockerfile_problems((DEPLOY / "docker/Dockerfile").read_text(encoding="utf-8"))
    print("\n".join(problems) or "compose.yml, Dockerfile and every YAML file in deploy/ are consistent")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
