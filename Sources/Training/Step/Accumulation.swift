import Tensor

/// What `body` gives of a batch, computed in equal parts one after another, so that only one part is in memory at a time.
///
/// Values under `mean` are averaged over the parts, which is exact for gradients, losses and moving averages of a mean; those
/// under `last` are the last part's.
///
/// - Parameters:
///   - batch: `[clips, …]`.
///   - parts: divides the clips.
///   - body: one part and its number, u32 → a tree with `mean` and `last`.
func accumulated(_ batch: Tensor, parts: Int, _ body: (Tensor, Tensor) -> Tree<Tensor>) -> Tree<Tensor> {
    let first = Tensor.scalar(0, .u32)
    guard parts > 1 else { return body(batch, first) }
    let shape = Shape([parts, batch.shape[0] / parts] + batch.shape.dropFirst())
    let slices = batch.reshaped(shape)
    let outcome = body(slices.at(0), first)
    let isMean = outcome.paths.map { $0.hasPrefix("mean") }
    let start = outcome.leaves.map { Tensor.zeros($0.type) }
    let numbers = Tensor.range(parts, .u32)
    let sums = scan(start, over: [slices, numbers]) { state, part in
        let leaves = body(part[0], part[1]).leaves
        return (zip(zip(state, leaves), isMean).map { pair, adds in adds ? pair.0 + pair.1 : pair.1 }, [])
    }.state
    var next = zip(sums, isMean).map { sum, isMean in isMean ? sum * (1 / Double(parts)) : sum }.makeIterator()
    return outcome.map { _, _ in next.next()! }
}
