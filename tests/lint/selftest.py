#!/usr/bin/python3
"""The lint scripts must be able to fail: each is shown something broken."""

import copy
import json
import pathlib
import unittest

import commands
import dashboard
import laws
import layers
import links
import names
import packages
import presets
import repository
import words


class LayersTest(unittest.TestCase):
    def test_an_arrow_that_is_drawn_is_allowed(self):
        self.assertEqual(list(layers.problems_of("lib/window/chain.h", '#include "lib/accumulate/histogram.h"\n')), [])

    def test_a_sibling_is_forbidden(self):
        self.assertEqual(len(list(layers.problems_of("lib/join/joiner.cc", '#include "lib/match/matcher.h"\n'))), 1)

    def test_core_sees_nothing_of_ours(self):
        for room in layers.ARROWS:
            if room != "lib/core":
                self.assertTrue(list(layers.problems_of("lib/core/core.cc", f'#include "{room}/x.h"\n')), room)

    def test_the_way_back_is_forbidden_for_every_arrow(self):
        for room, seen in layers.ARROWS.items():
            for other in seen:
                self.assertNotIn(room, layers.ARROWS[other], f"{room} and {other} see each other")

    def test_lib_never_sees_the_daemon_or_the_tests(self):
        self.assertTrue(list(layers.problems_of("lib/expose/json.cc", '#include "daemon/http/server.h"\n')))
        self.assertTrue(list(layers.problems_of("lib/expose/json.cc", '#include "tests/support/x.h"\n')))
        self.assertTrue(list(layers.problems_of("daemon/main.cc", '#include "tests/support/x.h"\n')))

    def test_generated_code_is_seen_by_wire_and_tests_only(self):
        line = "#include <detwatch/v1/detwatch.pb.h>\n"
        self.assertEqual(list(layers.problems_of("lib/wire/decode.cc", line)), [])
        self.assertEqual(list(layers.problems_of("tests/wire/decode_test.cc", line)), [])
        self.assertTrue(list(layers.problems_of("lib/client/publisher.cc", line)))
        self.assertTrue(list(layers.problems_of("daemon/tools/replay.cc", line)))

    def test_a_new_room_needs_a_line(self):
        self.assertTrue(list(layers.problems_of("lib/drift/x.h", '#include "lib/core/time.h"\n')))

    def test_no_way_around_by_dots_or_spaces(self):
        self.assertTrue(list(layers.problems_of("lib/join/a.cc", '#include "../match/matcher.h"\n')))
        self.assertTrue(list(layers.problems_of("lib/join/a.cc", '  #  include   <lib/match/matcher.h>\n')))


    def test_an_arrow_inside_the_daemon_is_allowed_only_where_it_is_drawn(self):
        drawn = '#include "daemon/http/address.h"\n#include "daemon/config/config.h"\n#include "daemon/version.h"\n'
        self.assertEqual(list(layers.problems_of("daemon/serve/web.cc", drawn)), [])
        for path, target in (("daemon/http/server.cc", "daemon/config/config.h"),
                             ("daemon/config/load.cc", "daemon/serve/log.h"),
                             ("daemon/files/disk.cc", "daemon/tools/terminal.h"),
                             ("daemon/tools/eval.cc", "daemon/serve/log.h"),
                             ("daemon/serve/serve.cc", "daemon/files/dataset_files.h"),
                             ("daemon/serve/serve.cc", "daemon/choice.h")):
            found = list(layers.problems_of(path, f'#include "{target}"\n'))
            self.assertEqual(len(found), 1, f"{path} -> {target}")
            self.assertIn("there is no arrow from", found[0])

    def test_an_arrow_from_the_daemon_into_lib_has_to_be_drawn_too(self):
        self.assertTrue(list(layers.problems_of("daemon/tools/eval.cc", '#include "lib/store/store.h"\n')))
        self.assertTrue(list(layers.problems_of("daemon/http/server.cc", '#include "lib/pipeline/state.h"\n')))
        self.assertEqual(list(layers.problems_of("daemon/serve/serve.cc", '#include "lib/store/store.h"\n')), [])

    def test_every_drawn_arrow_inside_the_daemon_has_a_forbidden_way_back(self):
        inside = [(room, other) for room in layers.ARROWS for other in layers.ARROWS[room]
                  if room.startswith("daemon/") and other.startswith("daemon/")]
        self.assertTrue(inside)
        for room, other in inside:
            self.assertTrue(list(layers.problems_of(f"{other}/x.cc", f'#include "{room}/x.h"\n')), (room, other))

    def test_main_sees_every_folder_and_no_unknown_one(self):
        self.assertEqual(list(layers.problems_of("daemon/main.cc", '#include "daemon/serve/serve.h"\n')), [])
        self.assertTrue(list(layers.problems_of("daemon/main.cc", '#include "daemon/drift/x.h"\n')))
        self.assertTrue(list(layers.problems_of("daemon/drift/x.cc", '#include "lib/core/time.h"\n')))

    def test_pure_rooms_do_no_input_and_output(self):
        for header in ("fstream", "filesystem", "thread", "sys/mman.h"):
            line = f"#include <{header}>\n"
            self.assertTrue(list(layers.problems_of("lib/dataset/coco.cc", line)), header)
            self.assertEqual(list(layers.problems_of("daemon/files/disk.cc", line)), [])
        self.assertEqual(list(layers.problems_of("lib/store/log_tail.cc", "#include <fstream>\n")), [])

    def test_the_table_of_rooms_is_read(self):
        table = ("| room | job | sees |\n|---|---|---|\n| `lib/core` | words | – |\n"
                 "| `lib/a`, `lib/b` | two | core; more |\n| `daemon/x` | it | a, daemon/y |\n| `daemon/y` | z | core |\n")
        arrows, problems = layers.arrows_of(table)
        self.assertEqual(problems, [])
        self.assertEqual(arrows, {"lib/core": set(), "lib/a": {"lib/core"}, "lib/b": {"lib/core"},
                                  "daemon/x": {"lib/a", "daemon/y"}, "daemon/y": {"lib/core"}})

    def test_a_broken_table_is_found(self):
        row = "| `lib/a` | x | %s |\n"
        for table in ("", row % "c", row % "–" + row % "–", row % "b" + "| `lib/b` | x | a |\n"):
            self.assertEqual(len(layers.arrows_of(table)[1]), 1, table)
        self.assertEqual(layers.TABLE_PROBLEMS, [])


class WordsTest(unittest.TestCase):
    def test_unfinished_work_is_found_with_its_line(self):
        found = list(words.problems_of("lib/a.cc", "int x;\n// TO" + "DO later\n"))
        self.assertEqual(len(found), 1)
        self.assertIn("lib/a.cc:2", found[0])

    def test_switched_off_tests_are_found(self):
        self.assertTrue(list(words.problems_of("tests/a_test.cc", "TEST(A, DISA" + "BLED_B) {}\n")))

    def test_paths_of_one_machine_are_found_and_others_are_not(self):
        self.assertTrue(list(words.problems_of("a.md", "see /wo" + "rk/x\n")))
        self.assertEqual(list(words.problems_of("a.md", "see tests/wo" + "rk/x and a/ro" + "ot/b\n")), [])

    def test_a_silenced_check_needs_name_and_reason(self):
        self.assertTrue(list(words.problems_of("a.cc", "f();  // NOL" + "INT\n")))
        self.assertTrue(list(words.problems_of("a.cc", "f();  // NOL" + "INT(bugprone-x)\n")))
        self.assertEqual(list(words.problems_of("a.cc", "f();  // NOL" + "INT(bugprone-x): the API wants it\n")), [])

    def test_long_code_is_found_and_long_data_is_not(self):
        self.assertTrue(list(words.problems_of("a.cc", "\n" * 401)))
        self.assertEqual(list(words.problems_of("a.json", "\n" * 401)), [])


class LawsTest(unittest.TestCase):
    def laws(self, comment):
        return laws.laws_of("lib/a/a.h", "#pragma once\n" + comment + "\n#include <x>\n// Law: NotInTheOpening.\n")

    def test_every_way_to_write_them_is_read(self):
        for mark in ("Laws", "Law", "Laws (tests of the same name)", "Laws (tests of the same\n// name)"):
            names, problems = self.laws(f"// A room. {mark}: OneHolds,\n//   A2ndHolds. Threads: none.\n//\n// More.")
            self.assertEqual((names, problems), (["OneHolds", "A2ndHolds"], []), mark)

    def test_two_lists_are_two_lists(self):
        self.assertEqual(self.laws("// Law: OneHolds. And\n// Law: TwoHolds.")[0], ["OneHolds", "TwoHolds"])

    def test_a_law_that_is_no_name_is_found(self):
        for text in ("it holds.", "OneHolds TwoHolds.", "OneHolds, always.", "One."):
            self.assertEqual(len(self.laws("// Laws: " + text)[1]), 1, text)

    def test_laws_may_be_those_of_another_header(self):
        self.assertEqual(self.laws("// Laws: see other.h. Threads: none."), ([], []))

    def test_every_kind_of_test_counts(self):
        for macro in ("TEST", "TEST_F", "TEST_P", "TYPED_TEST"):
            self.assertEqual(laws.tests_of("tests/a_test.cc", macro + "(ATest,\n     OneHolds) {"), {"OneHolds"})
        self.assertEqual(laws.tests_of("tests/a_test.cc", "// OneHolds\nEXPECT_EQ(OneHolds, 1);"), set())

    def test_a_law_without_a_test_in_its_room_is_found(self):
        tests = {"a": {"OneHolds"}, "b": {"TwoHolds"}, "e2e": {"ThreeHolds"}, "daemon": {"FourHolds"}}
        names = ["OneHolds", "TwoHolds", "ThreeHolds", "FourHolds"]
        self.assertEqual(laws.untested("lib/a/a.h", names, tests), ["TwoHolds", "FourHolds"])
        self.assertEqual(laws.untested("daemon/http/a.h", names, tests), ["OneHolds", "TwoHolds"])

    def test_a_law_shown_in_python_is_marked_at_its_test(self):
        marked = "class ATest:\n    # Law: OneHolds\n    # and why\n    def test_one(self):\n"
        self.assertEqual(laws.tests_of("tests/e2e/a_test.py", marked), {"OneHolds"})
        self.assertEqual(laws.tests_of("tests/e2e/a_test.py", "# Law: OneHolds\nx = 1\n"), set())


class LinksTest(unittest.TestCase):
    def problems(self, text):
        return list(links.problems_of(pathlib.Path("README.md"), text, lambda path: "# Part one: `eval`\n"))

    def test_a_link_to_a_file_and_its_heading_is_fine(self):
        self.assertEqual(self.problems("[a](CMakeLists.txt) [b](#part-one-eval) [c](https://example.org/x)"), [])

    def test_dead_links_are_found(self):
        self.assertEqual(len(self.problems("[a](nowhere.md)\n[b](#part-two)\n[c](../elsewhere)")), 3)

    def test_code_is_no_link(self):
        self.assertEqual(self.problems("```\n[a](nowhere.md)\n```\n"), [])


class NamesTest(unittest.TestCase):
    def test_what_cannot_be_read_is_found(self):
        for name in ("Law\u00e9", "A.B/1-byte object <00>", "A.B/0  # GetParam() = 1", "A.B/\t", "A" * 121, ""):
            self.assertTrue(list(names.problems_of(name)), name)

    def test_a_sentence_is_a_name(self):
        for name in ("Sets/SyntheticTest.ExactAgrees/0", "KeyValueTest/Store.AScanIsAscending", "e2e.kill", "A" * 120):
            self.assertEqual(list(names.problems_of(name)), [], name)

    def test_names_are_taken_from_what_ctest_lists(self):
        listed = "Test project x\n  Test   #1: A.B\n  Test #924: e2e.kill\n\nTotal Tests: 2\n"
        self.assertEqual(names.names_in(listed), ["A.B", "e2e.kill"])


class PackagesTest(unittest.TestCase):
    def problems(self, quick=("a", "b"), full=("a", "b", "c", "prometheus"), lists=None):
        return list(packages.problems_of(quick, full, lists or {"unit": ["a", "b"], "system": ["c"]}))

    def test_lists_that_are_installed_as_they_are_are_fine(self):
        self.assertEqual(self.problems(), [])
        self.assertEqual(packages.packages_of("# why\na\n\nb  # and why\n"), ["a", "b"])

    def test_what_unit_tests_do_not_need_is_found(self):
        for name in ("chromium", "clang-14", "libclang-rt-14-dev", "prometheus", "shellcheck", "libbenchmark-dev"):
            self.assertEqual(len(self.problems(("a", name), ("a", name), {"unit": sorted(["a", name])})), 1, name)
        self.assertEqual(self.problems(("prometheus-cpp-dev",), ("prometheus-cpp-dev",), {"x": ["prometheus-cpp-dev"]}), [])

    def test_a_package_in_two_lists_or_out_of_order_or_not_installed_is_found(self):
        self.assertEqual(len(self.problems(lists={"unit": ["a", "b"], "system": ["a", "c"]})), 1)
        self.assertEqual(len(self.problems(lists={"unit": ["b", "a"], "system": ["c"]})), 1)
        self.assertEqual(len(self.problems(lists={"unit": ["a", "b"], "system": ["c", "d"]})), 1)
        self.assertEqual(len(self.problems(quick=("a", "e"))), 1)


class CommandsTest(unittest.TestCase):
    def problems(self, text):
        return list(commands.problems_of("a.md", text, {"serve": {"--log.level"}, "replay": {"--to", "--rate"}}))

    def test_flags_that_exist_are_fine_wherever_they_stand(self):
        self.assertEqual(self.problems("    detwatch serve --log.level info   # --not-a-flag\n`detwatch replay --to x`\n"), [])
        self.assertEqual(self.problems("detwatch keeps counts --always\n"), [])

    def test_a_flag_that_does_not_exist_is_found_wherever_it_stands(self):
        for text in ("    detwatch serve --log-level info\n", "#   detwatch serve \\\n#     --log-level x\n", "`detwatch replay --form x`",
                     "ExecStart=/usr/bin/detwatch serve --level x\n", '  "$detwatch" replay --too x\n',
                     "build/release/detwatch replay --too x\n", "| `detwatch replay` | streams; `--rates` |\n"):
            self.assertEqual(len(self.problems(text)), 1, text)


class PresetsTest(unittest.TestCase):
    def entry(self, path, flags):
        return {"file": str(repository.ROOT / path), "command": f"g++ {flags} -c {path}"}

    def test_hidden_presets_are_not_configured(self):
        text = '{"configurePresets": [{"name": "base", "hidden": true}, {"name": "dev"}]}'
        self.assertEqual(presets.visible_presets(text), ["dev"])

    def test_a_preset_that_lost_it_and_a_plain_build_that_gained_it_are_found(self):
        strict, lax = self.entry("lib/a.cc", "-Wall -Werror"), self.entry("lib/b.cc", "-Wall -Werror=vla")
        self.assertEqual(list(presets.problems_of("dev", [strict], True)), [])
        self.assertEqual(list(presets.problems_of("no preset", [lax], False)), [])
        self.assertEqual(len(list(presets.problems_of("dev", [strict, lax], True))), 1)
        self.assertEqual(len(list(presets.problems_of("no preset", [strict, lax], False))), 1)

    def test_generated_code_may_warn_and_nothing_is_not_fine(self):
        generated = self.entry("build/dev/a.pb.cc", "")
        self.assertEqual(list(presets.problems_of("dev", [generated, self.entry("lib/a.cc", "-Werror")], True)), [])
        self.assertTrue(list(presets.problems_of("dev", [generated], True)))


class DashboardTest(unittest.TestCase):
    def setUp(self):
        path = repository.ROOT / "deploy/grafana/dashboards/detwatch.json"
        self.board = json.loads(path.read_text(encoding="utf-8"))
        self.panel = next(dashboard.panels(self.board))

    def assert_found(self, part):
        found = list(dashboard.problems(self.board))
        self.assertTrue(any(part in problem for problem in found), f"{part!r} is not among {found}")

    def test_the_dashboard_that_ships_is_fine(self):
        self.assertEqual(list(dashboard.problems(self.board)), [])

    def test_what_a_panel_lacks_is_found(self):
        for key in ("title", "description"):
            panel = copy.deepcopy(self.panel)
            panel[key] = ""
            self.assertIn(f"no {key}", list(dashboard._panel_problems(panel)))
        self.panel["fieldConfig"]["defaults"].pop("unit")
        self.assert_found("no unit")

    def test_a_query_without_instance_is_found(self):
        target = self.panel["targets"][0]
        target["expr"] = target["expr"].replace('instance=~"$instance"', 'area="all"')
        self.assert_found("does not select instance")

    def test_a_fixed_range_is_found(self):
        self.panel["targets"][0]["expr"] = 'rate(detwatch_frames_total{job=~"$job", instance=~"$instance"}[5m])'
        self.assert_found("a rate over something else")

    def test_a_fixed_window_and_an_unknown_variable_are_found(self):
        target = self.panel["targets"][0]
        target["expr"] = target["expr"].replace("$window", "1h")
        self.assert_found("does not use the window variable")
        target["expr"] = "vector($threshold)"
        self.assert_found("$threshold is not a known variable")

    def test_an_editable_dashboard_with_inputs_is_found(self):
        self.board["editable"] = True
        self.assert_found("editable")
        self.board["__inputs"] = []
        self.assert_found("__inputs")

    def test_panels_on_top_of_each_other_are_found(self):
        second = [p for p in self.board["panels"] if p["type"] != "row"][1]
        second["gridPos"] = dict(self.panel["gridPos"])
        self.assert_found("lies on")

    def test_variables_are_replaced_as_grafana_would(self):
        text = 'x{job=~"$job", window="${window}"}[$__rate_interval]'
        self.assertEqual(dashboard.substituted(text, {"window": "1h"}), 'x{job=~".+", window="1h"}[1m]')


if __name__ == "__main__":
    unittest.main()
