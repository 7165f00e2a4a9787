public import Tensor

/// Where a causal layer gets what came before its input. One definition of a model serves both ways of running it:
///
/// - offline, the input is the whole signal and nothing came before it: the left context is zeros;
/// - streaming, the input is the next chunk, and the left context is state carried from the chunks before.
///
/// A layer asks `extending` (convolutions) or `attending` (attention) and cannot tell which it is, so a stream equals the
/// offline result for every chunking by construction. State starts as zeros, and a reset is a new dictionary of zeros:
///
///     let types = Past.initialState { past in _ = encoder(x, &past) }
///     var past = Past(streaming: state)
///     let frames = encoder(chunk, &past)     // then carry past.nextState
///
/// Entries are named by the order of the calls and their role, as `003.convolution`; a model must ask in the same order
/// every time.
public struct Past: Sendable {
    private enum Mode: Sendable {
        /// `mask`: bool `[batch, time]`, true where a frame is real.
        case offline(mask: Tensor?)
        /// `open` creates entries that are missing instead of refusing.
        case streaming([String: Tensor], open: Bool)
    }

    private let mode: Mode
    private var calls = 0
    /// The state after this chunk, by the names of the state before it. Empty offline.
    public private(set) var nextState: [String: Tensor] = [:]

    private init(_ mode: Mode) { self.mode = mode }

    /// The whole signal at once: before it is silence.
    public static func offline() -> Past { Past(.offline(mask: nil)) }

    /// Signals of several lengths in one batch, aligned at their ends.
    ///
    /// A padded frame is zero for convolutions and absent for attention, so a clip gives what it gives alone. For that
    /// the padding must be a multiple of what the model's strides multiply to.
    ///
    /// - Parameter mask: `[batch, time]`, not zero (or true) where a sample or frame is real; false only before true.
    public static func offline(mask: Tensor) -> Past {
        precondition(mask.rank == 2, "a mask is [batch, time], not \(mask.shape)")
        return Past(.offline(mask: mask.dtype == .bool ? mask : mask.cast(to: .bool)))
    }

    /// The next chunk of a stream.
    /// - Parameter state: every entry of `initialState`: zeros at first, then the `nextState` of the chunk before.
    public init(streaming state: [String: Tensor]) { self.init(.streaming(state, open: false)) }

    /// The types of a stream's state, found by tracing the model once. All of it starts as zeros.
    ///
    /// - Parameter trace: calls the model on an input of the stream's batch, with a chunk of any valid length.
    public static func initialState(of trace: (inout Past) -> Void) -> [String: TensorType] {
        var past = Past(.streaming([:], open: true))
        trace(&past)
        return past.nextState.mapValues(\.type)
    }

    public var isStreaming: Bool {
        if case .streaming = mode { true } else { false }
    }

    // MARK: - Convolution

    /// The input with the `length` steps before it.
    ///
    /// Offline that is the input itself and the number of zeros to put before it, since a convolution that pads for
    /// itself is faster than one that reads a concatenation. Padded frames come back as zeros.
    ///
    /// - Parameter x: `[batch, time, channels…]`.
    /// - Returns: `[batch, time + length - padding, channels…]`, and how many zeros must still go before it.
    public mutating func extending(
        _ x: Tensor, by length: Int, file: StaticString = #fileID, line: UInt = #line
    ) -> (x: Tensor, padding: Int) {
        precondition(x.rank >= 2 && length >= 0, "\(length) steps before \(x.shape)", file: file, line: line)
        let name = nextName("convolution")
        guard case .streaming = mode else { return (masked(x), length) }
        if length == 0 { return (x, 0) }
        let whole = extended(x, by: length, name, file, line)
        return (whole, 0)
    }

    /// `x: [batch, time, channels…]` with zeros in padded frames.
    public func masked(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        guard let mask = mask(x.shape[1], file: file, line: line) else { return x }
        let column = mask.reshaped(Shape(mask.shape.dimensions + x.shape.dropFirst(2).map { _ in 1 }))
        return select(column, x, Tensor.scalar(0, x.dtype))
    }

    /// Which of `count` frames are real: bool `[batch, count]`, or `nil` where all are.
    ///
    /// The mask follows the strides: a frame is real if any sample in it is, and all samples of a real frame are real.
    public func mask(_ count: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor? {
        guard case .offline(let mask?) = mode else { return nil }
        let (batch, time) = (mask.shape[0], mask.shape[1])
        precondition(
            count > 0 && (time % count == 0 || count % time == 0),
            "a mask of \(time) steps does not fit \(count) frames", file: file, line: line)
        if count <= time { return mask.reshaped([batch, count, time / count]).any(axes: [2]) }
        return mask.expanded(at: 2).broadcast(to: [batch, time, count / time]).reshaped([batch, count])
    }

    // MARK: - Attention

    /// Keys and values with those of the frames before that a window still reaches.
    public struct Attended {
        /// `[batch, past + time, heads, width]`.
        public let keys: Tensor
        /// `[batch, past + time, heads, width]`.
        public let values: Tensor
        /// Which keys exist: bool `[batch, past + time]`; `nil` means all.
        public let valid: Tensor?
        /// How many keys stand before the first query.
        public let past: Int
    }

    /// The keys and values of a chunk, after those of the `window - 1` frames before it.
    ///
    /// A stream holds no absolute position, only how many of those frames exist yet: positions in attention are relative
    /// (see `RotaryEmbedding`), so nothing grows or loses precision however long it runs.
    ///
    /// - Parameters:
    ///   - keys: `[batch, time, heads, width]`, without positions.
    ///   - values: `[batch, time, heads, width]`.
    ///   - window: how many frames a query sees, its own included; `nil`, all of them, is for offline use.
    public mutating func attending(
        keys: Tensor, values: Tensor, window: Int?, file: StaticString = #fileID, line: UInt = #line
    ) -> Attended {
        precondition(
            keys.rank == 4 && values.rank == 4 && keys.shape[1] == values.shape[1],
            "keys \(keys.shape) and values \(values.shape) are not [batch, time, heads, width]", file: file, line: line)
        let name = nextName("attention")
        guard isStreaming else {
            return Attended(keys: keys, values: values, valid: mask(keys.shape[1], file: file, line: line), past: 0)
        }
        guard let window else {
            preconditionFailure(
                "attention in a stream needs a window, or its memory has no bound", file: file, line: line)
        }
        let (batch, time, past) = (keys.shape[0], keys.shape[1], window - 1)
        if past == 0 { return Attended(keys: keys, values: values, valid: nil, past: 0) }
        let allKeys = extended(keys, by: past, "\(name).keys", file, line)
        let allValues = extended(values, by: past, "\(name).values", file, line)
        let seen = state("\(name).count", TensorType(.i32, [batch]), file, line)
        nextState["\(name).count"] = minimum(seen + Double(time), Double(past))
        let place = Tensor.range(past + time).expanded(at: 0)
        let valid = place.isAtLeast(Double(past) - seen.expanded(at: 1))
        return Attended(keys: allKeys, values: allValues, valid: valid, past: past)
    }

    // MARK: - State

    private mutating func nextName(_ role: String) -> String {
        defer { calls += 1 }
        let number = String(calls)
        return String(repeating: "0", count: max(0, 3 - number.count)) + "\(number).\(role)"
    }

    /// `x` after the state of that name, the last `length` steps of which are the next state.
    private mutating func extended(
        _ x: Tensor, by length: Int, _ name: String, _ file: StaticString, _ line: UInt
    ) -> Tensor {
        var shape = x.shape
        shape[1] = length
        let whole = concatenate([state(name, TensorType(x.dtype, shape), file, line), x], axis: 1)
        nextState[name] = whole.slice(1, whole.shape[1] - length, whole.shape[1])
        return whole
    }

    private func state(_ name: String, _ type: TensorType, _ file: StaticString, _ line: UInt) -> Tensor {
        guard case .streaming(let state, let open) = mode else { return Tensor.zeros(type) }
        guard let value = state[name] else {
            precondition(
                open, "the stream's state has no \(name); it has \(state.keys.sorted())", file: file, line: line)
            return Tensor.zeros(type)
        }
        precondition(value.type == type, "state \(name) is \(value.type), not \(type)", file: file, line: line)
        return value
    }
}
