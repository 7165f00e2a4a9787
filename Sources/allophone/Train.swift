import ArgumentParser
import Checkpoint
import Datasets
import Metrics
import Training
import XLA

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model, or go on with a run.",
        discussion: """
            A run is a folder. Start the same command again after a stop, however it came, and the run goes on exactly where its newest \
            checkpoint stands. Ctrl-C saves and stops.

            EXAMPLES
              allophone train --config alpha-tiny --data .corpus/small --run runs/tiny
              allophone train --config recipes/alpha-24k-50hz.json --data .corpus/core --run runs/full --steps 200000
              allophone train --config recipes/alpha-tiny.json --from weights/alpha-tiny.safetensors --data mine --run runs/mine
              allophone train --config alpha-tiny --data real --weight 3 --data synthetic --weight 1 --run runs/both
              tensorboard --logdir runs
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A recipe (JSON file), or the name of a preset model to train with defaults.", valueName: "recipe"))
    var config: String

    @Option(
        help: ArgumentHelp(
            "A dataset, whose split 'train' is learned from; see `allophone data --help`. There may be several, each by a --data of its own.",
            valueName: "source"))
    var data: [String]

    @Option(
        help: ArgumentHelp(
            "How many clips are drawn of each --data, relative to the others: as many --weight as --data, in their order. Default: as "
                + "many of each. A clip gives segments in proportion to its length, so for shares of time divide by the mean length.",
            valueName: "number"))
    var weight: [Double] = []

    @Option(
        help: ArgumentHelp(
            "A dataset to evaluate on: its split 'dev', 'validation' or 'test', or all of it without these. Default: the first --data.",
            valueName: "source"))
    var heldOut: String?

    @Option(
        name: .customLong("run"), help: ArgumentHelp("The run's folder, made if it is not there.", valueName: "folder"))
    var folder: String

    @Option(help: "Optimizer steps in all, instead of the recipe's.")
    var steps: Int?

    @Option(
        help: ArgumentHelp(
            "Stop, and save, after this many minutes. The schedule is not changed.", valueName: "minutes"))
    var minutes: Double?

    @Option(help: "The seed of weights and batches, instead of the recipe's.")
    var seed: UInt64?

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp(
            "A model's file whose weights a new run begins with, instead of random ones.", valueName: "model"))
    var initialModel: String?

    @Option(
        name: .customLong("phonemes-from"),
        help: ArgumentHelp(
            "A model's file whose phonemes a new run begins with: what level 1 hears with, and its codebook. They go into what "
                + "--from gives; level 1 of the recipe's model must have an encoder of its own.", valueName: "model"))
    var initialPhonemes: String?

    @OptionGroup var device: DeviceOptions

    @Flag(help: "Print the final evaluation as JSON.")
    var json = false

    func validate() throws {
        if let steps, !(1...Int(Int32.max)).contains(steps) {
            throw ValidationError("--steps must be between 1 and \(Int32.max)")
        }
        if let minutes, !(minutes > 0) { throw ValidationError("--minutes must be more than 0") }
        if !weight.isEmpty && weight.count != data.count {
            throw ValidationError("give a --weight for each --data: there are \(weight.count) for \(data.count)")
        }
        if !weight.allSatisfy({ $0 > 0 && $0.isFinite }) { throw ValidationError("--weight must be more than 0") }
    }

    private func openHeldOut() throws -> any Source {
        do throws(SourceError) { return try openHeldOutSource(heldOut ?? data[0]) } catch {
            guard case .noSuchSplit = error else { throw error }
            if let heldOut { return try openSource(heldOut) }
            throw CommandError.nothingHeldOut(error)
        }
    }

    func run() throws {
        var recipe =
            // A run's folder may be called like the preset that it trains.
            Disk.exists(config) && !Disk.isFolder(config) || config.hasSuffix(".json")
            ? try Recipe(path: config) : try Recipe(preset: config)
        HostMemory.keepFreed()
        if let steps { recipe.steps = steps }
        if let seed { recipe.seed = seed }
        if let initialModel { recipe.initialModel = initialModel }
        if let initialPhonemes { recipe.initialPhonemes = initialPhonemes }
        let sources = try data.enumerated().map { index, source in
            try WeightedSource(openSource(source, split: "train"), weight: weight.isEmpty ? 1 : weight[index])
        }
        let trainer = try Trainer(
            recipe: recipe, data: sources, heldOut: openHeldOut(), folder: folder,
            engine: device.engine(compiler: .thisProgram(Compile._commandName)))
        if let reason = trainer.unlabeled { say("no phoneme error rate: \(reason)") }
        let jsonLog = try JSONLinesLog(path: "\(folder)/metrics.jsonl", resumingAfter: trainer.step)
        try Disk.createFolder("\(folder)/tensorboard")
        let boardLog = try TensorBoardLog(folder: "\(folder)/tensorboard", resumingAfter: trainer.step)
        let logs: [any MetricsLog] = [jsonLog, boardLog]
        func log(_ step: Int, _ values: [String: Double]) throws {
            for log in logs { try log.log(step: step, values) }
        }
        if trainer.step > 0 { say("\(folder): going on at step \(trainer.step)") }

        let interrupt = Interrupt()
        let start = ContinuousClock.now
        let bar = ProgressBar(
            "training", total: Double(recipe.steps), unit: .items("step"), startingAt: Double(trainer.step))
        var last: (step: Int, evaluation: Evaluation)?
        try trainer.run(
            shouldStop: {
                interrupt.isSet || (minutes.map { (ContinuousClock.now - start).seconds > $0 * 60 } ?? false)
            },
            report: { event in
                switch event {
                case .step(let step, let metrics):
                    // A loss of weight 0 is not computed.
                    bar.update(
                        Double(step), metrics: ["loss", "mel"].compactMap { name in metrics[name].map { (name, $0) } })
                    if step % 10 == 0 || metrics["skipped"] == 1 { try log(step, metrics) }
                case .evaluated(let step, let evaluation):
                    last = (step, evaluation)
                    try log(step, evaluation.values)
                    bar.note("step \(step): \(evaluation.summary)")
                case .saved: break
                case .damaged(let error): bar.note("passed over, for an earlier checkpoint: \(error)")
                case .rolledBack(let from, let to):
                    for log in logs { try log.goBack(to: to) }
                    bar.note("step \(from): \(recipe.rollbackAfter) steps in a row were not finite; back to step \(to)")
                }
            })
        bar.finish()
        if trainer.step < recipe.steps {
            say("\(folder): stopped at step \(trainer.step) of \(recipe.steps); the same command goes on from there")
        }
        sayWhatWasSkipped(trainer.skipped)
        say("model: \(trainer.modelPath)")
        if json {
            // An evaluation of earlier weights is not of the model that was written.
            let evaluation = try last.flatMap { $0.step == trainer.step ? $0.evaluation : nil } ?? trainer.evaluate()
            try printJSON(evaluation)
        }
    }
}

extension Evaluation {
    /// As logged: numbers by name.
    var values: [String: Double] {
        var values = [
            "held-out/stoi": stoi, "held-out/melDistance": melDistance, "held-out/siSDR": scaleInvariantSDR,
        ]
        values["held-out/level1Used"] = level1Used
        values["held-out/phonemeErrorRate"] = phonemeErrorRate
        values["held-out/blankShare"] = blankShare
        values["held-out/level1STOI"] = level1STOI
        for (bit, mean) in (bitMeans ?? []).enumerated() { values["held-out/bits/\(bit)"] = mean }
        values["held-out/level1Perplexity"] = level1Perplexity
        values["held-out/lowestBitMean"] = bitMeans?.min()
        values["held-out/highestBitMean"] = bitMeans?.max()
        values["held-out/discriminatorAccuracy"] = discriminatorAccuracy
        return values
    }

    /// One line for people.
    var summary: String {
        var parts = ["STOI \(stoi.fixed(3))", "mel distance \(melDistance.fixed(3))"]
        if let level1Used { parts.append("level-1 codes used \((level1Used * 100).fixed(0)) %") }
        if let phonemeErrorRate { parts.append("phoneme errors \((phonemeErrorRate * 100).fixed(1)) %") }
        if let discriminatorAccuracy {
            parts.append("discriminators right \((discriminatorAccuracy * 100).fixed(0)) %")
        }
        return "held out: " + parts.joined(separator: ", ")
    }
}
