// detwatch: one binary, a subcommand for each job. Flags live here and nowhere else.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "daemon/choice.h"
#include "daemon/config/check.h"
#include "daemon/config/similar.h"
#include "daemon/config/units.h"
#include "daemon/serve/serve.h"
#include "daemon/tools/eval.h"
#include "daemon/tools/label.h"
#include "daemon/tools/replay.h"
#include "daemon/tools/simulate.h"
#include "daemon/version.h"

namespace detwatch {
namespace {

using config::DidYouMean;
using config::LogFormat;
using config::LogLevel;

int FlagError(const char* command, const char* flag, const std::string& message) {
  std::cerr << "detwatch " << command << ": " << flag << ": " << message << '\n';
  return 2;
}

void AddServe(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<serve::ServeOptions>();
  CLI::App* serve = app.add_subcommand("serve", "Run the daemon");
  serve->add_option("--config.file", options->config_file, "Configuration file; without one, defaults")
      ->option_text("FILE");
  serve
      ->add_option("--web.listen-address", options->overrides.web_listen_address,
                   "HOST:PORT for HTTP; port 0: any free one [127.0.0.1:9977]")
      ->option_text("ADDRESS");
  serve
      ->add_option("--ingest.subscribe", options->overrides.ingest_subscribe,
                   "SUB endpoint, repeatable; fire and forget [tcp://127.0.0.1:5556]")
      ->option_text("ENDPOINT")
      ->allow_extra_args(false);
  serve
      ->add_option("--ingest.reliable", options->overrides.ingest_reliable,
                   "ROUTER endpoint, repeatable; acknowledged delivery [tcp://127.0.0.1:5557]")
      ->option_text("ENDPOINT")
      ->allow_extra_args(false);
  serve
      ->add_option("--storage.path", options->overrides.storage_path,
                   "Folder where counts and waiting frames outlive the process; without one, memory only")
      ->option_text("FOLDER");
  serve->add_flag("--storage.repair", options->storage_repair,
                  "Before the start, keep what can be read of a damaged store");
  AddChoice(*serve, "--log.level", options->overrides.log_level, "debug, info, warn or error [info]", "LEVEL",
            {{"debug", LogLevel::kDebug},
             {"info", LogLevel::kInfo},
             {"warn", LogLevel::kWarn},
             {"error", LogLevel::kError}});
  AddChoice(*serve, "--log.format", options->overrides.log_format, "text or json [text]", "FORMAT",
            {{"text", LogFormat::kText}, {"json", LogFormat::kJson}});
  serve->callback([options, &exit_code] { exit_code = serve::RunServe(*options); });
}

// "1500ms", "30s", "5m", "2h", "1d", as in the configuration file.
void AddDuration(CLI::App& command, const std::string& flag, Duration& value, const std::string& help) {
  command
      .add_option_function<std::string>(
          flag,
          [flag, &value](const std::string& text) {
            const auto parsed = config::ParseDuration(text);
            if (!parsed) {
              throw CLI::ValidationError(flag, parsed.error().message);
            }
            value = *parsed;
          },
          help)
      ->option_text("DURATION");
}

void AddImageSize(CLI::App& command, std::optional<dataset::ImageSize>& size) {
  command
      .add_option_function<std::string>(
          "--image-size",
          [&size](const std::string& text) {
            const auto parsed = dataset::ParseImageSize(text);
            if (!parsed) {
              throw CLI::ValidationError("--image-size", parsed.error().message);
            }
            size = *parsed;
          },
          "WIDTHxHEIGHT of every YOLO image, where headers cannot be read")
      ->option_text("SIZE");
}

void AddEval(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<tools::EvalOptions>();
  CLI::App* eval = app.add_subcommand("eval", "Evaluate a data set offline, exactly");
  eval->add_option("--ground-truth", options->ground_truth, "COCO JSON, YOLO or VOC folder")->required();
  eval->add_option("--predictions", options->predictions, "COCO results JSON or folder of text files")
      ->required();
  AddChoice(*eval, "--protocol", options->protocol, "coco, voc2007 or voc2012 [coco]", "PROTOCOL",
            {kProtocolNames.begin(), kProtocolNames.end()});
  eval->add_flag("--voc-inclusive-pixels", options->voc_inclusive_pixels,
                 "Sides are max - min + 1, as in the VOC devkit");
  AddChoice(*eval, "--method", options->method, "exact or binned [exact]", "METHOD",
            {{"exact", tools::Method::kExact}, {"binned", tools::Method::kBinned}});
  AddChoice(*eval, "--format", options->format, "table or json [table]", "FORMAT",
            {{"table", tools::OutputFormat::kTable}, {"json", tools::OutputFormat::kJson}});
  AddImageSize(*eval, options->image_size);
  eval->callback([options, &exit_code] { exit_code = tools::RunEval(*options, std::cout, std::cerr); });
}

// What all tools that publish have.
void AddPublishOptions(CLI::App& command, tools::PublishOptions& publish) {
  command.add_option("--stream", publish.stream, "Name of the stream (camera, line, robot)");
  command.add_option("--rate", publish.rate, "Frames per second; 0: as fast as it goes")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  AddDuration(command, "--patience", publish.patience, "Give up after this long without any answer [30s]");
  command.add_flag("--json", publish.json, "The summary as JSON");
}

void AddSendOptions(CLI::App& command, tools::SendOptions& send) {
  command.add_flag("--fire-and-forget", send.fire_and_forget,
                   "Publish to a SUB endpoint (--ingest.subscribe) without acknowledgements");
  command.add_option("--model", send.model, "Name of the model")->capture_default_str();
  command.add_option("--model-version", send.version, "Version of the model")->capture_default_str();
  AddDuration(command, "--label-delay", send.label_delay,
              "Labels follow this much later: 500ms, 30s, 5m [0s]");
  AddPublishOptions(command, send);
}

void AddReplay(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<tools::ReplayOptions>();
  options->send.source = LabelSource::kHuman;
  CLI::App* replay = app.add_subcommand("replay", "Stream a data set with predictions to a daemon");
  replay->add_option("--ground-truth", options->ground_truth, "COCO JSON, YOLO or VOC folder")->required();
  replay->add_option("--predictions", options->predictions, "COCO results JSON or folder of text files")
      ->required();
  replay->add_option("--to", options->send.to, "The daemon's --ingest.reliable endpoint")->required();
  AddImageSize(*replay, options->image_size);
  replay->add_flag("--loop", options->loop, "Again and again, with new frame ids");
  AddSendOptions(*replay, options->send);
  replay->callback([options, &exit_code] { exit_code = tools::RunReplay(*options, std::cout, std::cerr); });
}

void AddLabel(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<tools::LabelOptions>();
  CLI::App* label = app.add_subcommand("label", "Publish annotations of frames that a daemon saw earlier");
  label->add_option("--from", options->from, "COCO JSON, YOLO or VOC folder")->required();
  label->add_option("--to", options->publish.to, "The daemon's --ingest.reliable endpoint")->required();
  AddChoice(*label, "--frame-id", options->frame_id,
            "What detectors call a frame: replay (COCO: the image id, YOLO and VOC: the file stem), "
            "image-id, file-name or file-stem [replay]",
            "RULE",
            {{"replay", tools::FrameIdRule::kReplay},
             {"image-id", tools::FrameIdRule::kImageId},
             {"file-name", tools::FrameIdRule::kFileName},
             {"file-stem", tools::FrameIdRule::kFileStem}});
  AddImageSize(*label, options->image_size);
  label->add_option("--classes", options->classes, "Only these were looked for: a,b,c; repeatable [all]")
      ->option_text("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false);
  AddChoice(*label, "--source", options->source, "human, auto, simulator or unknown [human]", "SOURCE",
            {{"human", LabelSource::kHuman},
             {"auto", LabelSource::kAuto},
             {"simulator", LabelSource::kSimulator},
             {"unknown", LabelSource::kUnknown}});
  AddChoice(
      *label, "--sampling", options->sampling, "How frames were chosen: random, triggered or unknown",
      "SAMPLING",
      {{"random", Sampling::kRandom}, {"triggered", Sampling::kTriggered}, {"unknown", Sampling::kUnknown}});
  label->add_option("--revision", options->revision, "Replaces labels of a lower one")->capture_default_str();
  label->add_flag("--final", options->final,
                  "Nobody will correct them; always so unless the source is human");
  label->add_flag("--strict", options->strict,
                  "Exit code 1 also when frames are unknown or late, or nobody tells");
  label->add_option("--publisher", options->publish.publisher,
                    "Name to publish under; a later run of the same name takes over [one for each run]");
  AddPublishOptions(*label, options->publish);
  label->callback([options, &exit_code] { exit_code = tools::RunLabel(*options, std::cout, std::cerr); });
}

void AddSimulate(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<tools::SimulateOptions>();
  auto drifts = std::make_shared<std::vector<std::string>>();
  auto size = std::make_shared<std::string>();
  options->send.source = LabelSource::kSimulator;
  options->send.model = "simulated";
  options->send.rate = 10;
  CLI::App* simulate =
      app.add_subcommand("simulate", "Stream a made-up scene whose detector degrades on cue");
  simulate->add_option("--to", options->send.to, "The daemon's --ingest.reliable endpoint");
  simulate->add_option("--out", options->out, "Folder for ground_truth.json and predictions.json");
  simulate->add_option("--frames", options->frames, "How many; 0: until interrupted")->capture_default_str();
  simulate->add_option("--seed", options->scene.seed, "The same seed gives the same frames")
      ->capture_default_str();
  simulate->add_option("--objects", options->scene.objects, "Objects in the picture, on average")
      ->check(CLI::Range(0.0, 500.0))
      ->capture_default_str();
  simulate->add_option("--size", *size, "WIDTHxHEIGHT of the picture [1280x720]");
  simulate
      ->add_option("--drift", *drifts,
                   "KIND@FRAME[:AMOUNT], repeatable; KIND: small-misses, box-shift, over-confidence, clutter")
      ->allow_extra_args(false);
  AddSendOptions(*simulate, options->send);
  simulate->callback([options, drifts, size, &exit_code] {
    for (const std::string& text : *drifts) {
      const auto drift = tools::ParseDrift(text);
      if (!drift) {
        exit_code = FlagError("simulate", "--drift", drift.error().message);
        return;
      }
      options->scene.drifts.push_back(*drift);
    }
    if (!size->empty()) {
      const auto parsed = dataset::ParseImageSize(*size);
      if (!parsed || parsed->width < 64 || parsed->height < 64) {
        exit_code = FlagError("simulate", "--size", parsed ? "below 64x64" : parsed.error().message);
        return;
      }
      options->scene.width = parsed->width;
      options->scene.height = parsed->height;
    }
    exit_code = tools::RunSimulate(*options, std::cout, std::cerr);
  });
}

void AddCheckConfig(CLI::App& app, int& exit_code) {
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* check =
      app.add_subcommand("check-config", "List every problem of a configuration, and what it will cost");
  check->add_option("file", *file, "Configuration file")->required();
  check->add_flag("--json", *json, "As JSON");
  check->callback([file, json, &exit_code] {
    exit_code = config::RunCheckConfig(*file, std::cout, std::cerr,
                                       *json ? config::CheckFormat::kJson : config::CheckFormat::kText);
  });
}

std::vector<std::string> Names(const std::vector<CLI::App*>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CLI::App* command : commands) {
    names.push_back(command->get_name());
  }
  return names;
}

// Something was left over that the command does not know.
int UnknownFlag(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    const std::vector<std::string> left = command->remaining();
    const std::string given = left.empty() ? app.remaining().at(0) : left.front();
    const auto options = command->get_options();
    std::vector<std::string> known;
    known.reserve(options.size());
    for (const CLI::Option* option : options) {
      known.push_back(option->get_name());
    }
    std::cerr << "detwatch " << command->get_name() << ": " << given << " is not expected here"
              << DidYouMean(given, known) << "; see detwatch " << command->get_name() << " --help\n";
  }
  return 2;
}

int Run(int argc, char** argv) {
  CLI::App app{"detwatch: live accuracy monitoring of deployed object detectors"};
  app.set_version_flag("--version",
                       "detwatch " + std::string(kVersion) + " (" + std::string(kRevision) + ")");
  app.require_subcommand(1);
  int exit_code = 0;
  AddServe(app, exit_code);
  AddEval(app, exit_code);
  AddReplay(app, exit_code);
  AddLabel(app, exit_code);
  AddSimulate(app, exit_code);
  AddCheckConfig(app, exit_code);
  const std::vector<std::string> commands = Names(app.get_subcommands(nullptr));
  const std::string first = argc > 1 ? argv[1] : "--help";
  if (!first.starts_with('-') && std::find(commands.begin(), commands.end(), first) == commands.end()) {
    std::cerr << "detwatch: there is no command \"" << first << '"' << DidYouMean(first, commands)
              << "; see detwatch --help\n";
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    return UnknownFlag(app);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version; wrong flags are a configuration problem.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace
}  // namespace detwatch

// The process locale stays "C": numbers are never printed or parsed with another.
int main(int argc, char** argv) {
  try {
    return detwatch::Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "detwatch: %s\n", error.what());
  } catch (...) {
    std::fputs("detwatch: failed for an unknown reason\n", stderr);
  }
  return 1;
}
