#pragma once
// lib/expose -- families that are there with or without groups: the process, ingest, and each model.

#include "lib/expose/emitter.h"
#include "lib/expose/expose.h"

namespace detwatch::expose {

void EmitProcess(const Process& process, Emitter& out);
void EmitIngest(const snapshot::Snapshot& snapshot, Emitter& out);
void EmitModel(const snapshot::Snapshot& snapshot, const snapshot::Model& model, Emitter& out);

}  // namespace detwatch::expose
