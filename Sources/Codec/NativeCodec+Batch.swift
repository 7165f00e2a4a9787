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

    /// A frame more of a stream that has stayed as it was.
    struct Branch {
        let samples: [Float]
        fileprivate let origin: Decoder
        fileprivate let group: StreamProgram.Group
        fileprivate let place: Int

        /// The stream that goes on after it.
        var decoder: Decoder {
            var decoder = origin
            decoder.state = origin.program.state(of: place, in: group)
            return decoder
        }
    }

    /// Decodes a frame after each of several streams, together and without changing them; see `push(_:to:)` of decoders.
    ///
    /// States are many times larger than what is decoded from them, and most branches are dropped: each is copied once, and
    /// again if its stream is asked for.
    func branches(_ frames: [TokenFrames], of decoders: [Decoder]) throws -> [Branch] {
        var branches: [Branch] = []
        while branches.count < frames.count {
            let size = batchSize(frames.count - branches.count)
            let part = branches.count..<branches.count + size
            let program = decoders[part.lowerBound].program
            let group = program.group(decoders[part].map(\.state))
            let input = frames[part].flatMap { model.configuration.columns($0) }
            var samples = [Float](repeating: 0, count: size * model.configuration.hop)
            try input.withUnsafeBytes { input in
                try samples.withUnsafeMutableBytes { samples in
                    try program.run(group, input: input.baseAddress!, output: samples.baseAddress!)
                }
            }
            branches += part.enumerated().map { place, number in
                let own = place * model.configuration.hop..<(place + 1) * model.configuration.hop
                return Branch(samples: Array(samples[own]), origin: decoders[number], group: group, place: place)
            }
        }
        return branches
    }

    /// The largest power of two, so that few plans serve any number of streams.
    func batchSize(_ streams: Int) -> Int {
        min(Self.largestBatch, 1 << (Int.bitWidth - 1 - streams.leadingZeroBitCount))
    }

    /// Beyond it nothing is gained: the weights are read seldom enough.
    private static let largestBatch = 16
}
