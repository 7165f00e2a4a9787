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
