#include "lib/core/labels.h"

#include <gtest/gtest.h>

namespace detwatch {
namespace {

TEST(LabelsTest, LabelNamesAreWhatPrometheusTakes) {
  for (const char* name : {"a", "_", "site", "Hall_3", "__x"}) {
    EXPECT_TRUE(IsLabelName(name)) << name;
  }
  for (const char* name : {"", "3d", "a-b", "a.b", "a b", "a:b", "\xC3\xBC"}) {
    EXPECT_FALSE(IsLabelName(name)) << name;
  }
}

TEST(LabelsTest, NamesThatSeriesAlreadyHaveAreReserved) {
  for (const char* name :
       {"job",       "instance", "le",      "quantile",   "share",    "class",     "iou",
        "window",    "area",     "view",    "confidence", "max_dets", "bin",       "outcome",
        "transport", "reason",   "missing", "edge",       "__name__", "__anything"}) {
    EXPECT_TRUE(IsReservedLabel(name)) << name;
  }
  for (const char* name : {"site", "_site", "Job", "jobs", "model", "version", "stream", ""}) {
    EXPECT_FALSE(IsReservedLabel(name)) << name;
  }
}

TEST(LabelsTest, ModelVersionAndStreamAreIdentity) {
  EXPECT_TRUE(IsIdentityLabel("model"));
  EXPECT_TRUE(IsIdentityLabel("version"));
  EXPECT_TRUE(IsIdentityLabel("stream"));
  EXPECT_FALSE(IsIdentityLabel("models"));
  EXPECT_FALSE(IsIdentityLabel("le"));
}

}  // namespace
}  // namespace detwatch
