public import Tokenizer

extension NativeCodec {
    /// Pushes samples to several streams and computes their frames together, which reads the weights once for all of them.
    ///
    /// Each stream gives the tokens that it would give alone, bit for bit.
    ///
    /// - Parameters:
    ///   - samples: for each stream, any number.
    ///   - encoders: streams of this codec.
    /// - Throws: `CodecError.ofStream` for samples that are not finite or far too loud; all streams are then as they were.
    public func push(_ samples: [[Float]], to encoders: inout [Encoder]) throws -> [TokenFrames] {
        precondition(samples.count == encoders.count, "\(samples.count) chunks for \(encoders.count) streams")
        precondition(encoders.allSatisfy { $0.stream.codec === self }, "a stream of another codec")
        try checkEach(samples) { try $0.withUnsafeBufferPointer { try Self.check($0) } }
        let (hop, width) = (model.configuration.hop, model.quantizer.codeWidth)
        var results = samples.map { _ in TokenFrames(levelCount: model.configuration.quantizer.count) }
        for (index, chunk) in samples.enumerated() { encoders[index].stream.pending += chunk }
        // Samples that have become tokens; they go once, at the end, as what remains has to move.
        var done = [Int](repeating: 0, count: encoders.count)
        defer { for index in encoders.indices { encoders[index].stream.pending.removeFirst(done[index]) } }
        while case let ready = encoders.indices.filter({ encoders[$0].stream.pending.count - done[$0] >= hop }),
            !ready.isEmpty
        {
            let group = Array(ready.prefix(batchSize(ready.count)))
            let input = group.flatMap { encoders[$0].stream.pending[done[$0]..<done[$0] + hop] }
            var columns = [Int32](repeating: 0, count: group.count * width)
            var states = group.map { index in
                // Taken out, so that it is changed in place and not copied.
                let state = encoders[index].stream.state
                encoders[index].stream.state = []
                return state
            }
            try input.withUnsafeBytes { input in
                try columns.withUnsafeMutableBytes { columns in
                    try encoders[group[0]].stream.program.run(
                        states: &states, input: input.baseAddress!, output: columns.baseAddress!)
                }
            }
            for (place, index) in group.enumerated() {
                encoders[index].stream.state = states[place]
                done[index] += hop
                results[index].append(
                    model.configuration.tokens(Array(columns[place * width..<(place + 1) * width])))
            }
        }
        return results
    }

    /// Pushes frames to several streams and computes their samples together; see `push(_:to:)` of encoders.
    ///
    /// - Parameters:
    ///   - frames: for each stream, any number.
    ///   - decoders: streams of this codec, all of `makeDecoder` or all of `makeLevelOneDecoder`.
    /// - Throws: `CodecError.ofStream` for codes that the model does not have; all streams are then as they were.
    public func push(_ frames: [TokenFrames], to decoders: inout [Decoder]) throws -> [[Float]] {
        precondition(frames.count == decoders.count, "\(frames.count) chunks for \(decoders.count) streams")
        precondition(decoders.allSatisfy { $0.codec === self }, "a stream of another codec")
        precondition(
            decoders.allSatisfy { $0.program === decoders[0].program }, "streams of all levels and of level 1 alone")
        try checkEach(frames, check)
        let hop = model.configuration.hop
        for index in decoders.indices { decoders[index].late.tell(frames[index]) }
        var results = frames.map { _ in [Float]() }
        var done = 0
        while case let ready = frames.indices.filter({ frames[$0].count > done }), !ready.isEmpty {
            var rest = ready[...]
            while !rest.isEmpty {
                let group = Array(rest.prefix(batchSize(rest.count)))
                rest = rest.dropFirst(group.count)
                let input = group.flatMap { model.configuration.columns(frames[$0][done..<done + 1]) }
                var samples = [Float](repeating: 0, count: group.count * hop)
                var states = group.map { index in
                    let state = decoders[index].state
                    decoders[index].state = []
                    return state
                }
                try input.withUnsafeBytes { input in
                    try samples.withUnsafeMutableBytes { samples in
                        try decoders[group[0]].program.run(
                            states: &states, input: input.baseAddress!, output: samples.baseAddress!)
                    }
                }
                for (place, index) in group.enumerated() {
                    decoders[index].state = states[place]
                    results[index] += decoders[index].late.heard(Array(samples[place * hop..<(place + 1) * hop]))
                }
            }
            done += 1
        }
        return results
    }

    /// Says of which stream a chunk was that cannot be taken.
    private func checkEach<Chunk>(_ chunks: [Chunk], _ check: (Chunk) throws -> Void) throws {
        for (stream, chunk) in chunks.enumerated() {
            do { try check(chunk) } catch let error as CodecError { throw CodecError.ofStream(stream, error) }
        }
    }

    /// What a stream would sound like with each of several continuations of as many frames, all computed together; it stays as it was.
    func previews(_ continuations: [TokenFrames], of decoder: Decoder) throws -> [[Float]] {
        let count = continuations[0].count * model.configuration.hop
        let input = continuations.flatMap { model.configuration.columns($0) }
        var samples = [Float](repeating: 0, count: continuations.count * count)
        try input.withUnsafeBytes { input in
            try samples.withUnsafeMutableBytes { samples in
                try decoder.program.preview(
                    frames: continuations[0].count, streams: continuations.count, after: decoder.state,
                    input: input.baseAddress!, output: samples.baseAddress!)
            }
        }
        return continuations.indices.map { Array(samples[$0 * count..<($0 + 1) * count]) }
    }

    /// The largest power of two, so that few plans serve any number of streams.
    private func batchSize(_ streams: Int) -> Int {
        min(Self.largestBatch, 1 << (Int.bitWidth - 1 - streams.leadingZeroBitCount))
    }

    /// Beyond it nothing is gained: the weights are read seldom enough.
    static let largestBatch = 16
}
