#include <algorithm>
#include <cmath>

#include "tests/pipeline/rig_support.h"

namespace detwatch::test {
namespace {

// Adds frames to the true negatives of values, or makes values that have nothing else.
template <class Values>
std::shared_ptr<const Values> WithNegatives(const std::shared_ptr<const Values>& values, std::int64_t frames,
                                            bool always) {
  if (values == nullptr && frames == 0 && !always) {
    return nullptr;
  }
  auto whole = values == nullptr ? std::make_shared<Values>() : std::make_shared<Values>(*values);
  for (accumulate::FrameCounts& counts : whole->frames) {
    counts.tn += frames;
  }
  return whole;
}

std::int64_t At(const std::vector<std::int64_t>& frames, std::size_t i) {
  return i < frames.size() ? frames[i] : 0;
}

void ExpectNumber(double a, double b, double tolerance, const std::string& what) {
  EXPECT_EQ(std::isnan(a), std::isnan(b)) << what;
  if (!std::isnan(a) && !std::isnan(b)) {
    EXPECT_NEAR(a, b, tolerance) << what;
  }
}

void ExpectCounts(const accumulate::OperatingCounts& a, const accumulate::OperatingCounts& b,
                  const std::string& what) {
  EXPECT_EQ(a.true_positives, b.true_positives) << what;
  EXPECT_EQ(a.false_positives, b.false_positives) << what;
  EXPECT_EQ(a.false_negatives, b.false_negatives) << what;
}

void ExpectCounts(const accumulate::FrameCounts& a, const accumulate::FrameCounts& b,
                  const std::string& what) {
  EXPECT_EQ(a.tp, b.tp) << what;
  EXPECT_EQ(a.fp, b.fp) << what;
  EXPECT_EQ(a.fn, b.fn) << what;
  EXPECT_EQ(a.tn, b.tn) << what;
}

void ExpectSame(const accumulate::ClassSummary& a, const accumulate::ClassSummary& b,
                const EvaluationParams& params, const Comparison& how, const std::string& what) {
  EXPECT_EQ(a.ground_truths, b.ground_truths) << what;
  EXPECT_EQ(a.detections, b.detections) << what;
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    ExpectCounts(a.frames[c], b.frames[c], what + " frames");
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      ExpectCounts(a.operating[c][t], b.operating[c][t], what);
    }
  }
  ExpectNumber(a.iou_mean, b.iou_mean, 0, what + " iou_mean");
  ExpectNumber(a.best_f1, b.best_f1, 0, what + " best_f1");
  ExpectNumber(a.calibration_error, b.calibration_error, 1e-12, what + " calibration");
  for (std::size_t area = 0; area < params.areas(); ++area) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      ExpectNumber(a.recall[area][t], b.recall[area][t], 0, what + " recall");
      if (how.ap) {
        ExpectNumber(a.ap[area][t].value, b.ap[area][t].value, 1e-12, what + " ap");
        ExpectNumber(a.ap[area][t].lower, b.ap[area][t].lower, 1e-12, what + " ap lower");
      }
    }
  }
  if (how.ap) {
    EXPECT_EQ(a.exact, b.exact) << what;
  }
}

snapshot::ClassCounters Net(const snapshot::Group& group, std::size_t i) {
  snapshot::ClassCounters net = *group.counters[i];
  if (group.retracted.empty()) {
    return net;
  }
  const snapshot::ClassCounters& out = *group.retracted[i];
  net.ground_truths -= out.ground_truths;
  for (std::size_t c = 0; c < kMaxOperatingPoints; ++c) {
    net.frames[c].tp -= out.frames[c].tp;
    net.frames[c].fp -= out.frames[c].fp;
    net.frames[c].fn -= out.frames[c].fn;
    net.frames[c].tn -= out.frames[c].tn;
    for (std::size_t t = 0; t < kMaxIouThresholds; ++t) {
      net.operating[c][t].true_positives -= out.operating[c][t].true_positives;
      net.operating[c][t].false_positives -= out.operating[c][t].false_positives;
      net.operating[c][t].false_negatives -= out.operating[c][t].false_negatives;
    }
  }
  for (std::size_t i_fleet = 0; i_fleet < net.bin_detections.size(); ++i_fleet) {
    for (std::size_t bin = 0; bin < net.bin_detections[i_fleet].size(); ++bin) {
      if (i_fleet < out.bin_detections.size()) {
        net.bin_detections[i_fleet][bin] -= out.bin_detections[i_fleet][bin];
        net.bin_true_positives[i_fleet][bin] -= out.bin_true_positives[i_fleet][bin];
      }
    }
  }
  return net;
}

void ExpectSame(const snapshot::ClassCounters& a, const snapshot::ClassCounters& b, const std::string& what) {
  EXPECT_EQ(a.ground_truths, b.ground_truths) << what;
  for (std::size_t c = 0; c < kMaxOperatingPoints; ++c) {
    ExpectCounts(a.frames[c], b.frames[c], what + " frames");
    for (std::size_t t = 0; t < kMaxIouThresholds; ++t) {
      ExpectCounts(a.operating[c][t], b.operating[c][t], what);
    }
  }
  EXPECT_EQ(a.bin_detections, b.bin_detections) << what;
  EXPECT_EQ(a.bin_true_positives, b.bin_true_positives) << what;
}

std::optional<std::size_t> Find(const snapshot::Group& group, const std::string& class_name) {
  const auto at = std::find(group.class_names.begin(), group.class_names.end(), class_name);
  return at == group.class_names.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(at - group.class_names.begin()));
}

void ExpectSame(const snapshot::Group& a, const snapshot::Group& b, const Comparison& how,
                const std::string& what) {
  ASSERT_EQ(a.windows.size(), b.windows.size());
  std::vector<std::string> names = a.class_names;
  for (const std::string& name : b.class_names) {
    if (!Find(a, name)) {
      names.push_back(name);
    }
  }
  if (!how.net) {
    EXPECT_EQ(a.class_names.size(), b.class_names.size());
    EXPECT_EQ(a.retracted.empty(), b.retracted.empty()) << what;
  }
  for (std::size_t w = 0; w < a.windows.size(); ++w) {
    const snapshot::Window& x = a.windows[w];
    const snapshot::Window& y = b.windows[w];
    const std::string in = what + " " + x.name;
    EXPECT_EQ(x.name, y.name);
    if (how.totals && x.name != "total") {
      continue;
    }
    EXPECT_EQ(x.frames, y.frames) << in;
    EXPECT_EQ(x.oldest_capture, y.oldest_capture) << in;
    EXPECT_EQ(x.newest_capture, y.newest_capture) << in;
    EXPECT_EQ(x.mean.classes, y.mean.classes) << in;
    EXPECT_EQ(x.mean.ground_truths, y.mean.ground_truths) << in;
    ExpectNumber(x.mean.iou_mean, y.mean.iou_mean, 1e-12, in + " iou_mean");
    for (std::size_t c = 0; c < a.params->operating_points.size(); ++c) {
      ExpectCounts(x.mean.frames[c], y.mean.frames[c], in + " mean frames");
      for (std::size_t t = 0; t < a.params->thresholds(); ++t) {
        ExpectCounts(x.mean.micro[c][t], y.mean.micro[c][t], in + " micro");
        ExpectNumber(x.mean.macro[c][t].f1, y.mean.macro[c][t].f1, 1e-12, in + " macro");
      }
    }
    if (how.ap) {
      EXPECT_EQ(x.mean.exact, y.mean.exact) << in;
      for (std::size_t t = 0; t <= a.params->thresholds(); ++t) {
        ExpectNumber(x.mean.map[0][t].value, y.mean.map[0][t].value, 1e-12, in + " map");
      }
    }
    for (const std::string& name : names) {
      const auto i = Find(a, name);
      const auto j = Find(b, name);
      const auto* p = i ? x.classes[*i].get() : nullptr;
      const auto* q = j ? y.classes[*j].get() : nullptr;
      EXPECT_EQ(p == nullptr, q == nullptr) << in << " " << name;
      if (p != nullptr && q != nullptr) {
        ExpectSame(*p, *q, *a.params, how, in + " " + name);
      }
    }
  }
  ASSERT_EQ(a.counters.empty(), b.counters.empty());
  for (const std::string& name : a.counters.empty() ? std::vector<std::string>() : names) {
    const auto i = Find(a, name);
    const auto j = Find(b, name);
    if (!i || !j) {
      const snapshot::ClassCounters only = i ? Net(a, *i) : Net(b, *j);
      EXPECT_EQ(only.ground_truths, 0) << what << " " << name;
      EXPECT_EQ(only.operating[0][0].false_positives, 0) << what << " " << name;
      continue;
    }
    ExpectSame(Net(a, *i), Net(b, *j), what + " net counters " + name);
    if (!how.net) {
      ExpectSame(*a.counters[*i], *b.counters[*j], what + " counters " + name);
    }
  }
  if (a.predictions != nullptr && b.predictions != nullptr) {
    EXPECT_EQ(a.predictions->frames, b.predictions->frames) << what;
    EXPECT_EQ(a.predictions->confidence.counts, b.predictions->confidence.counts) << what;
    EXPECT_EQ(a.predictions->per_frame.counts, b.predictions->per_frame.counts) << what;
  }
}

}  // namespace

snapshot::Snapshot Whole(const snapshot::Snapshot& snapshot) {
  snapshot::Snapshot whole = snapshot;
  for (snapshot::View& view : whole.views) {
    for (snapshot::Group& group : view.groups) {
      for (snapshot::Window& window : group.windows) {
        for (std::size_t i = 0; i < window.classes.size(); ++i) {
          window.classes[i] = WithNegatives(window.classes[i], At(window.judged_frames, i), false);
        }
        window.judged_frames.clear();
      }
      for (std::size_t i = 0; i < group.counters.size(); ++i) {
        group.counters[i] = WithNegatives(group.counters[i], At(group.judged_frames, i), true);
      }
      for (std::size_t i = 0; i < group.retracted.size(); ++i) {
        group.retracted[i] = WithNegatives(group.retracted[i], At(group.retracted_judged_frames, i), true);
      }
    }
  }
  return whole;
}

void ExpectSame(const snapshot::Snapshot& first, const snapshot::Snapshot& second, const Comparison& how) {
  const snapshot::Snapshot a = Whole(first);
  const snapshot::Snapshot b = Whole(second);
  ASSERT_EQ(a.views.size(), b.views.size());
  for (std::size_t v = 0; v < a.views.size(); ++v) {
    ASSERT_EQ(a.views[v].groups.size(), b.views[v].groups.size()) << a.views[v].spec.name;
    for (const snapshot::Group& group : a.views[v].groups) {
      std::string name = a.views[v].spec.name;
      for (const auto& [key, value] : group.labels) {
        name += " " + key + "=" + value;
      }
      const auto& others = b.views[v].groups;
      const auto other = std::find_if(others.begin(), others.end(), [&](const snapshot::Group& candidate) {
        return candidate.labels == group.labels;
      });
      ASSERT_NE(other, others.end()) << name;
      ExpectSame(group, *other, how, name);
    }
  }
  ASSERT_EQ(a.models.size(), b.models.size());
  for (const snapshot::Model& model : a.models) {
    const auto other = std::find_if(b.models.begin(), b.models.end(), [&](const snapshot::Model& candidate) {
      return candidate.key == model.key;
    });
    ASSERT_NE(other, b.models.end());
    EXPECT_EQ(model.frames, other->frames) << model.key.model;
    EXPECT_EQ(model.judged, other->judged) << model.key.model;
    EXPECT_EQ(model.expired, other->expired) << model.key.model;
    EXPECT_EQ(model.last_frame, other->last_frame);
    EXPECT_EQ(model.score_threshold, other->score_threshold);
    EXPECT_EQ(model.max_detections, other->max_detections);
    if (!how.totals) {
      EXPECT_EQ(model.last_label, other->last_label);
    }
  }
  if (!how.net && !how.totals) {
    EXPECT_EQ(Serialise(a.counters), Serialise(b.counters));
    EXPECT_EQ(a.cuts, b.cuts);
  }
  if (how.gauges) {
    EXPECT_EQ(a.gauges.pending_predictions, b.gauges.pending_predictions);
    EXPECT_EQ(a.gauges.pending_labels, b.gauges.pending_labels);
    EXPECT_EQ(a.gauges.pending_bytes, b.gauges.pending_bytes);
    EXPECT_EQ(a.gauges.lingering_labels, b.gauges.lingering_labels);
    EXPECT_EQ(a.gauges.kept_frames, b.gauges.kept_frames);
    EXPECT_EQ(a.gauges.kept_bytes, b.gauges.kept_bytes);
    EXPECT_EQ(a.gauges.class_list_waiting, b.gauges.class_list_waiting);
    EXPECT_EQ(a.gauges.publishers, b.gauges.publishers);
    EXPECT_EQ(a.gauges.models, b.gauges.models);
    EXPECT_EQ(a.gauges.groups, b.gauges.groups);
    EXPECT_EQ(a.gauges.cells, b.gauges.cells);
  }
}

namespace {

// Every number of the counters of a class.
std::vector<std::int64_t> Numbers(const snapshot::ClassCounters& counters, const EvaluationParams& params) {
  std::vector<std::int64_t> numbers = {counters.ground_truths};
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    const accumulate::FrameCounts& frames = counters.frames[c];
    numbers.insert(numbers.end(), {frames.tp, frames.fp, frames.fn, frames.tn});
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      const accumulate::OperatingCounts& at = counters.operating[c][t];
      numbers.insert(numbers.end(), {at.true_positives, at.false_positives, at.false_negatives});
    }
  }
  for (const auto* bins : {&counters.bin_detections, &counters.bin_true_positives}) {
    for (const auto& row : *bins) {
      numbers.insert(numbers.end(), row.begin(), row.end());
    }
  }
  return numbers;
}

}  // namespace

void ExpectNothingFell(const snapshot::Snapshot& before_all, const snapshot::Snapshot& after_all) {
  const snapshot::Snapshot earlier = Whole(before_all);
  const snapshot::Snapshot later = Whole(after_all);
  for (std::size_t v = 0; v < earlier.views.size(); ++v) {
    for (const snapshot::Group& before : earlier.views[v].groups) {
      const auto& groups = later.views[v].groups;
      const auto after = std::find_if(groups.begin(), groups.end(),
                                      [&](const auto& group) { return group.labels == before.labels; });
      ASSERT_NE(after, groups.end());
      for (std::size_t i = 0; i < before.counters.size(); ++i) {
        const auto j = Find(*after, before.class_names[i]);
        ASSERT_TRUE(j);
        const auto compare = [&](const snapshot::ClassCounters& a, const snapshot::ClassCounters& b) {
          const auto x = Numbers(a, *before.params);
          const auto y = Numbers(b, *before.params);
          for (std::size_t n = 0; n < x.size(); ++n) {
            ASSERT_GE(y[n], x[n]) << before.class_names[i] << " number " << n;
            ASSERT_GE(x[n], 0) << before.class_names[i] << " number " << n;
          }
        };
        compare(*before.counters[i], *after->counters[*j]);
        if (!before.retracted.empty()) {
          ASSERT_FALSE(after->retracted.empty());
          compare(*before.retracted[i], *after->retracted[*j]);
        }
      }
    }
  }
}

void ExpectSound(const snapshot::Snapshot& snapshot) {
  const snapshot::Snapshot whole = Whole(snapshot);
  for (const snapshot::View& view : whole.views) {
    for (const snapshot::Group& group : view.groups) {
      for (const snapshot::Window& window : group.windows) {
        for (const auto& values : window.classes) {
          if (values == nullptr) {
            continue;
          }
          const accumulate::OperatingCounts& at = values->operating[0][0];
          EXPECT_GE(at.true_positives, 0) << view.spec.name << " " << window.name;
          EXPECT_GE(at.false_positives, 0) << view.spec.name << " " << window.name;
          EXPECT_GE(at.false_negatives, 0) << view.spec.name << " " << window.name;
          EXPECT_GE(values->ground_truths[0], 0) << view.spec.name << " " << window.name;
          const accumulate::FrameCounts& frames = values->frames[0];
          EXPECT_GE(frames.tn, 0) << view.spec.name << " " << window.name;
          EXPECT_LE(frames.tp + frames.fp + frames.fn + frames.tn, window.frames) << window.name;
        }
      }
    }
  }
}

}  // namespace detwatch::test
