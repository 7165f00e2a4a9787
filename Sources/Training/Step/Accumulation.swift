import Tensor

/// What `body` gives of a batch, computed in equal parts one after another, so that only one part is in memory at a time.
///
/// Values under `mean` are averaged over the parts, which is exact for gradients, losses and moving means where the clips of a
/// batch are of one length; parts of others weigh the same, however much of them is padding. Those under `last` are the last
/// part's.
///
/// - Parameters:
///   - batch: tensors `[clips, …]`.
///   - parts: divides the clips.
///   - body: one part and its number, u32 → a tree with `mean` and `last`.
func accumulated(
    _ batch: Tree<Tensor>, parts: Int, _ body: (_ part: Tree<Tensor>, _ number: Tensor) -> Tree<Tensor>
) -> Tree<Tensor> {
    guard parts > 1 else { return body(batch, Tensor.scalar(0, .u32)) }
    let slices = batch.map { _, whole in
        whole.reshaped(Shape([parts, whole.shape[0] / parts] + whole.shape.dropFirst()))
    }
    func part(_ leaves: some Sequence<Tensor>) -> Tree<Tensor> {
        var next = leaves.makeIterator()
        return batch.map { _, _ in next.next()! }
    }
    let outcome = body(part(slices.leaves.map { $0.at(0) }), Tensor.scalar(0, .u32))
    let isMean = outcome.paths.map { $0.hasPrefix("mean") }
    let start = outcome.leaves.map { Tensor.zeros($0.type) }
    let sums = scan(start, over: slices.leaves + [Tensor.range(parts, .u32)]) { state, each in
        let leaves = body(part(each.dropLast()), each[each.count - 1]).leaves
        return (zip(zip(state, leaves), isMean).map { pair, adds in adds ? pair.0 + pair.1 : pair.1 }, [])
    }.state
    var next = zip(sums, isMean).map { sum, isMean in isMean ? sum * (1 / Double(parts)) : sum }.makeIterator()
    return outcome.map { _, _ in next.next()! }
}
