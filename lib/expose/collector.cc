#include <utility>

#include "lib/expose/emitter.h"
#include "lib/expose/expose.h"
#include "lib/expose/group.h"
#include "lib/expose/health.h"

namespace detwatch::expose {
namespace {

// detwatch_series and detwatch_series_dropped_total, which are known last and never left out.
constexpr std::size_t kReserved = 2;

void EmitMeans(const GroupContext& context, Emitter& out) {
  const Families& families = context.spec.families;
  out.Block([&] { EmitWindowFacts(context, out); });
  if (families.mean_average_precision) {
    out.Block([&] { EmitMeanAveragePrecision(context, out); });
  }
  if (families.average_recall) {
    out.Block([&] { EmitAverageRecall(context, out); });
  }
  if (families.micro_macro) {
    out.Block([&] { EmitMicroMacro(context, out); });
  }
  if (context.spec.counters) {
    out.Block([&] { EmitPredictionStats(context, out); });
  }
}

void EmitClasses(const GroupContext& context, Emitter& out) {
  const Families& families = context.spec.families;
  out.Block([&] { EmitWindowGroundTruths(context, out); });
  if (context.spec.classes) {
    out.Block([&] { EmitOperatingPoints(context, out); });
    if (families.average_precision) {
      out.Block([&] { EmitAveragePrecision(context, out); });
    }
  }
  out.Block([&] { EmitQuality(context, out); });
}

// In order of importance: the limit takes from the end.
void EmitGroups(const snapshot::Snapshot& snapshot, const ExposeOptions& options, Emitter& out) {
  std::vector<GroupContext> groups;
  bool counters = false;
  for (const snapshot::View& view : snapshot.views) {
    counters = counters || view.spec.counters;
    for (const snapshot::Group& group : view.groups) {
      groups.emplace_back(view, group);
    }
  }
  for (const GroupContext& group : groups) {
    EmitMeans(group, out);
  }
  for (const GroupContext& group : groups) {
    EmitClasses(group, out);
  }
  for (const GroupContext& group : groups) {
    if (group.spec.counters) {
      out.Block([&] { EmitClassCounters(group, out); });
    }
  }
  if (!counters || !options.fleet_bins) {
    return;
  }
  out.Block([&] { EmitBinLayout(out); });
  for (const GroupContext& group : groups) {
    if (group.spec.counters) {
      out.Block([&] { EmitFleetBins(group, snapshot.fleet_ious, out); });
    }
  }
}

void Expose(const snapshot::Snapshot* snapshot, const Process& process, const ExposeOptions& options,
            std::atomic<std::uint64_t>& left_out, Sink& sink) {
  Emitter out(sink, options.max_series, kReserved);
  out.Block([&] { EmitProcess(process, out); });
  if (snapshot != nullptr) {
    out.Block([&] { EmitIngest(*snapshot, out); });
    for (const snapshot::Model& model : snapshot->models) {
      out.Block([&] { EmitModel(*snapshot, model, out); });
    }
    EmitGroups(*snapshot, options, out);
  }
  const std::uint64_t total = left_out.fetch_add(out.left_out()) + out.left_out();
  sink.Sample(Family::kSeries, {}, {}, static_cast<double>(out.kept()));
  sink.Sample(Family::kSeriesDropped, {}, {"reason", "limit"}, static_cast<double>(total));
}

}  // namespace

std::uint64_t CountSeries(const snapshot::Snapshot& snapshot, const Process& process,
                          const ExposeOptions& options) {
  CountingSink sink;
  std::atomic<std::uint64_t> left_out{0};
  Expose(&snapshot, process, options, left_out, sink);
  return sink.series();
}

Collector::Collector(SnapshotSource snapshots, ProcessSource process, ExposeOptions options)
    : snapshots_(std::move(snapshots)),
      process_(std::move(process)),
      max_series_(options.max_series),
      fleet_bins_(options.fleet_bins) {}

std::string Collector::Text() const {
  TextSink sink;
  Expose(snapshots_().get(), process_(), options(), left_out_, sink);
  return sink.Finish();
}

std::vector<prometheus::MetricFamily> Collector::Collect() const {
  FamilySink sink;
  Expose(snapshots_().get(), process_(), options(), left_out_, sink);
  return sink.Finish();
}

}  // namespace detwatch::expose
