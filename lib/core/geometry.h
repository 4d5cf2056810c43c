#pragma once
// lib/core -- the shared words. This file: boxes.

namespace detwatch {

// An axis-aligned box: left, top, width, height, in pixels. Double, so that COCO's arithmetic is repeated
// to the bit. Width and height are not negative; either may be zero.
struct Box {
  double x = 0;
  double y = 0;
  double w = 0;
  double h = 0;

  [[nodiscard]] double Area() const { return w * h; }
  friend bool operator==(const Box&, const Box&) = default;
};

}  // namespace detwatch
