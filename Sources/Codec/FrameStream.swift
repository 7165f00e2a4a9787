import Tokenizer

/// A stream of sound that comes in pieces of any size and goes to a program in whole frames.
struct FrameStream: Sendable {
    let codec: NativeCodec
    let program: StreamProgram
    var state: [Float]
    /// Samples of a frame that is not whole yet.
    var pending: [Float] = []

    init(_ codec: NativeCodec, _ program: StreamProgram) {
        self.codec = codec
        self.program = program
        state = [Float](repeating: 0, count: program.stateCount)
    }

    private var hop: Int { codec.model.configuration.hop }

    /// `width` elements for each frame that the samples complete.
    ///
    /// - Throws: `CodecError` for samples that are not finite or far too loud; the stream is then as it was.
    mutating func push<Element>(
        _ samples: some Collection<Float>, width: Int, filling: Element
    ) throws -> [Element] {
        let held = pending.count
        pending.append(contentsOf: samples)
        do { try pending[held...].withUnsafeBufferPointer { try NativeCodec.check($0) } } catch {
            pending.removeLast(pending.count - held)
            throw error
        }
        let frames = pending.count / hop
        var elements = [Element](repeating: filling, count: frames * width)
        try pending.withUnsafeBufferPointer { samples in
            try elements.withUnsafeMutableBufferPointer { elements in
                var done = 0
                while done < frames {
                    let count = codec.step(frames - done)
                    try program.run(
                        frames: count, state: &state, input: samples.baseAddress! + done * hop,
                        output: elements.baseAddress! + done * width, isShared: count > 1)
                    done += count
                }
            }
        }
        pending.removeFirst(frames * hop)
        return elements
    }

    /// What is left, its frame filled up with silence.
    mutating func finish<Element>(width: Int, filling: Element) throws -> [Element] {
        if pending.isEmpty { return [] }
        return try push([Float](repeating: 0, count: hop - pending.count % hop), width: width, filling: filling)
    }
}
