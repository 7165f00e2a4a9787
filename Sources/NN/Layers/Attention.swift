public import Tensor

/// Multi-head attention of a sequence to itself: causal, within a window of the past, or over all of it.
///
/// Vaswani et al., "Attention Is All You Need", 2017; several query heads may share one of keys and values (Ainslie et al.,
/// "GQA", 2023).
public struct Attention: Module {
    public let query: Linear
    public let key: Linear
    public let value: Linear
    public let output: Linear

    public let heads: Int
    public let keyValueHeads: Int
    public let causal: Bool
    /// How many frames a query sees, its own included; `nil` means all.
    public let window: Int?
    /// The base of the rotary positions; `nil` leaves positions out.
    public let rotaryBase: Double?

    /// - Precondition: `heads` divides `width`, `keyValueHeads` divides `heads`, and only causal attention has a window.
    public init(
        _ width: Int, heads: Int, keyValueHeads: Int? = nil, causal: Bool = true, window: Int? = nil,
        rotaryBase: Double? = 10_000, bias: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) {
        let keyValueHeads = keyValueHeads ?? heads
        precondition(
            width % heads == 0 && heads % keyValueHeads == 0,
            "width \(width), \(heads) heads and \(keyValueHeads) of keys do not divide", file: file, line: line)
        precondition(
            window == nil || (causal && window! > 0), "only causal attention has a window", file: file, line: line)
        let shared = width / heads * keyValueHeads
        query = Linear(width, width, bias: bias)
        key = Linear(width, shared, bias: bias)
        value = Linear(width, shared, bias: bias)
        output = Linear(width, width, bias: bias)
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.causal = causal
        self.window = window
        self.rotaryBase = rotaryBase
    }

    /// `x`: `[batch, time, width]` → the same shape.
    ///
    /// - Precondition: only causal attention with a window may run in a stream.
    public func callAsFunction(
        _ x: Tensor, _ past: inout Past, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        precondition(causal || !past.isStreaming, "a stream cannot attend to its future", file: file, line: line)
        func split(_ y: Tensor, _ heads: Int) -> Tensor {
            y.reshaped([y.shape[0], y.shape[1], heads, y.shape[2] / heads])
        }
        let attended = past.attending(
            keys: split(key(x, file: file, line: line), keyValueHeads), values: split(value(x), keyValueHeads),
            window: window, file: file, line: line)
        let y = attention(
            split(query(x), heads), attended.keys, attended.values, valid: attended.valid, past: attended.past,
            causal: causal, window: window, rotaryBase: rotaryBase)
        return output(y.reshaped(x.shape))
    }
}

/// `softmax(q·k / √width)·v`, the softmax in f32.
///
/// A causal query `i` stands at key position `past + i` and sees the `window` keys that end there. When time is long
/// against the window, only a band of blocks is computed, so cost and memory grow with `time · window`.
///
/// - Parameters:
///   - queries: `[batch, time, heads, width]`.
///   - keys: `[batch, keyTime, sharedHeads, width]`; if causal, `keyTime` is `past + time`.
///   - values: `[batch, keyTime, sharedHeads, valueWidth]`.
///   - valid: which keys exist, bool `[batch, keyTime]`. A query that sees none gets a finite value without meaning.
///   - rotaryBase: turns queries and keys by their positions; see `RotaryEmbedding`.
/// - Returns: `[batch, time, heads, valueWidth]`.
public func attention(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, valid: Tensor? = nil, past: Int = 0, causal: Bool = true,
    window: Int? = nil, rotaryBase: Double? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    let (q, k, v) = (queries.shape, keys.shape, values.shape)
    precondition(
        q.rank == 4 && k.rank == 4 && v.rank == 4 && q[0] == k[0] && q[3] == k[3]
            && k.dimensions[0...2] == v.dimensions[0...2]
            && q[2] % k[2] == 0 && (!causal || k[1] == past + q[1]),
        "attention of queries \(q) to keys \(k) and values \(v), \(past) of them past", file: file, line: line)
    // Attributes are numbers: zero stands for what is not there.
    let attributes: [String: Double] = [
        "past": Double(past), "causal": causal ? 1 : 0, "window": Double(window ?? 0), "rotaryBase": rotaryBase ?? 0,
    ]
    return composite(
        "attention", [queries, keys, values] + (valid.map { [$0] } ?? []), attributes: attributes
    ) { inputs in
        let block = AttentionBlock(
            queries: inputs[0], keys: inputs[1], values: inputs[2], valid: inputs.count == 4 ? inputs[3] : nil,
            past: past, causal: causal, window: window, rotaryBase: rotaryBase)
        return [block.banded() ?? block.dense()]
    }[0]
}

private struct AttentionBlock {
    var queries: Tensor
    var keys: Tensor
    var values: Tensor
    var valid: Tensor?
    var past: Int
    let causal: Bool
    let window: Int?
    let rotaryBase: Double?

    /// Every query against every key.
    func dense() -> Tensor {
        let (batch, time, heads, width) = (queries.shape[0], queries.shape[1], queries.shape[2], queries.shape[3])
        let (keyTime, shared) = (keys.shape[1], keys.shape[2])
        let precision: DType = queries.dtype == .f64 ? .f64 : .f32
        var (q, k) = (queries, keys)
        if let rotaryBase {
            let table = RotaryEmbedding(width, base: rotaryBase).table(max(keyTime, past + time), precision)
            (q, k) = (table.rotating(q, from: past), table.rotating(k))
        }
        q = (q * (1 / Double(width).squareRoot())).reshaped([batch, time, shared, heads / shared, width])
        // [batch, shared, time, heads / shared, keyTime]
        var logits = dot(q, k, contracting: ([4], [3]), batching: ([0, 2], [0, 2])).cast(to: precision)
        if let seen = seen() {
            // Finite, since a row of nothing but -∞ has no softmax; exp of it is 0 beside any real logit.
            logits = select(seen, logits, Tensor.scalar(-1e30, precision))
        }
        let weights = logits.softmax().cast(to: values.dtype)
        return dot(weights, values, contracting: ([4], [1]), batching: ([0, 1], [0, 2]))
            .transposed([0, 2, 1, 3, 4]).reshaped([batch, time, heads, values.shape[3]])
    }

    /// Which keys a query sees, broadcasting to `[batch, 1, time, 1, keyTime]`; `nil` if all.
    private func seen() -> Tensor? {
        let (time, keyTime) = (queries.shape[1], keys.shape[1])
        var seen = valid.map { $0.reshaped([$0.shape[0], 1, 1, 1, keyTime]) }
        if causal {
            let type = TensorType(.i32, [1, 1, time, 1, keyTime])
            let age = Tensor.iota(type, axis: 2) + Double(past) - Tensor.iota(type, axis: 4)
            var band = age.isAtLeast(0)
            if let window, window < keyTime { band = band & age.isLess(than: Double(window)) }
            seen = seen.map { $0 & band } ?? band
        }
        return seen
    }

    /// The same attention as a batch of blocks, each with the keys that its window reaches; `nil` where that saves nothing.
    func banded() -> Tensor? {
        guard let window, causal else { return nil }
        let (batch, time, reach) = (queries.shape[0], queries.shape[1], window - 1)
        // Not below 32, or the products are too small to be fast.
        let size = max(reach, 32)
        guard time > 2 * size else { return nil }
        let count = (time + size - 1) / size
        let missing = max(0, reach - past)
        let surplus = max(0, past - reach)
        let tail = count * size - time

        /// `[batch, past + time, …]` → `[batch · count, reach + size, …]`.
        func blocks(_ x: Tensor) -> Tensor {
            let whole = x.padded(axis: 1, low: missing - surplus, high: tail)
            func cut(_ start: Int, _ kept: Int) -> Tensor {
                whole.slice(1, start, start + count * size)
                    .reshaped(Shape([batch * count, size] + x.shape.dropFirst(2))).slice(1, 0, kept)
            }
            return reach == 0 ? cut(0, size) : concatenate([cut(0, reach), cut(reach, size)], axis: 1)
        }
        var folded = self
        folded.queries = queries.padded(axis: 1, low: 0, high: tail)
            .reshaped(Shape([batch * count, size] + queries.shape.dropFirst(2)))
        folded.keys = blocks(keys)
        folded.values = blocks(values)
        if valid != nil || missing > 0 {
            let exists = valid?.cast(to: .i32) ?? Tensor.ones(TensorType(.i32, [batch, keys.shape[1]]))
            folded.valid = blocks(exists).isGreater(than: 0)
        }
        folded.past = reach
        let y = folded.dense()
        return y.reshaped(Shape([batch, count * size] + y.shape.dropFirst(2))).slice(1, 0, time)
    }
}
