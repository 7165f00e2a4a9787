/// Watches for steps that were skipped because something was not finite, and says when to go back.
struct Guardrail {
    let limit: Int
    private(set) var skippedInRow = 0
    private var lastReturn: (step: Int, count: Int)?
    /// How often a run may go back to one checkpoint.
    static let patience = 3

    init(limit: Int) { self.limit = limit }

    var isReached: Bool { skippedInRow >= limit }

    mutating func saw(skipped: Bool) { skippedInRow = skipped ? skippedInRow + 1 : 0 }

    /// - Throws: `TrainingError.diverged` if the run has been back there too often.
    mutating func rolledBack(to step: Int, from: Int, folder: String) throws(TrainingError) {
        let count = (lastReturn?.step == step ? lastReturn?.count ?? 0 : 0) + 1
        guard count <= Self.patience else { throw .diverged(folder: folder, step: from, checkpoint: step) }
        lastReturn = (step, count)
        skippedInRow = 0
    }
}

/// A run that cannot go on.
public enum TrainingError: Error, CustomStringConvertible {
    case recipeChanged(folder: String)
    case diverged(folder: String, step: Int, checkpoint: Int)

    public var description: String {
        switch self {
        case .recipeChanged(let folder):
            "\(folder): this run was begun with another recipe (\(folder)/recipe.json). Only its steps, evaluation and "
                + "checkpoints may change; for anything else choose another --run folder"
        case .diverged(let folder, let step, let checkpoint):
            "\(folder): losses or gradients are not finite at step \(step), however often the run goes on from step "
                + "\(checkpoint). Lower optimizer.learningRate or optimizer.clipNorm in another recipe"
        }
    }
}
