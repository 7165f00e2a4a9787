public import Tokenizer

/// A codec whose encoder tries codes out and keeps those that decode to what is nearest the recording.
///
/// Analysis by synthesis (Atal and Remde, "A new model of LPC excitation", 1982): a frame is decoded with the encoder's own
/// code and with each single bit of a binary spherical quantizer turned over, after each of the best paths so far, of which so many are
/// followed (the M-algorithm; Anderson and Mohan, 1984). Tokens have the same form and any decoder takes them; they are better and
/// take longer to find. A level that is a VQ keeps its code: phonemes stay what they are.
public struct SearchingCodec: SpeechCodec {
    public let codec: NativeCodec
    /// How many paths are followed.
    public let width: Int

    public var model: Alpha { codec.model }
    public var chunkSamples: Int { codec.chunkSamples }

    /// - Parameters:
    ///   - codec: made for encoding and decoding.
    ///   - width: 1 decides each frame with its last sample; with more a frame is decided when all paths have come to agree on it, or
    ///     `Encoder.longestDelay` later.
    /// - Throws: `CodecError.notLoaded`, `CodecError.nothingToSearch` if the model has no level of bits.
    public init(_ codec: NativeCodec, width: Int) throws(CodecError) {
        guard codec.model.configuration.quantizer.contains(where: { $0.kind == .bsq }) else {
            throw .nothingToSearch
        }
        _ = (try codec.program(.encoding), try codec.program(.decoding))
        self.codec = codec
        self.width = max(1, width)
    }

    public func makeEncoder() throws -> Encoder { try Encoder(codec, width: width) }
    public func makeDecoder() throws -> NativeCodec.Decoder { try codec.makeDecoder() }
    public func makeLevelOneDecoder() throws -> NativeCodec.Decoder { try codec.makeLevelOneDecoder() }
}

extension SearchingCodec {
    /// One stream of sound becoming tokens.
    public struct Encoder: StreamEncoder, Sendable {
        /// Frames that may wait for what follows them.
        public static let longestDelay = 16

        private let codec: NativeCodec
        private let width: Int
        private let analysis: EnvelopeAnalysis
        /// How many windows end in each frame: about one in 10 ms, as each is 25 ms long.
        private let windows: Int
        private let bits: [(level: Int, bit: UInt64)]
        private var encoder: NativeCodec.Encoder
        private var history = EnvelopeTarget.History()
        /// The sound that no path has been told, after as much as a window sees of what they have.
        private var recording: [Float]
        private var paths: [Path]

        private struct Path: Sendable {
            var decoder: NativeCodec.Decoder
            /// The last of what it decodes to, as long as a window and a frame.
            var sound: [Float]
            var cost = 0.0
            /// Frames that are not decided.
            var codes: TokenFrames
        }

        init(_ codec: NativeCodec, width: Int) throws {
            let configuration = codec.model.configuration
            self.codec = codec
            self.width = width
            analysis = EnvelopeAnalysis(sampleRate: configuration.sampleRate)
            windows = max(1, (100 * configuration.hop + configuration.sampleRate / 2) / configuration.sampleRate)
            bits = configuration.quantizer.enumerated().flatMap { level, quantizer in
                quantizer.kind == .bsq ? (0..<UInt64(quantizer.bits ?? 0)).map { (level, $0) } : []
            }
            encoder = try codec.makeEncoder()
            recording = [Float](repeating: 0, count: analysis.windowLength)
            paths = [
                Path(
                    decoder: try codec.makeDecoder(), sound: recording,
                    codes: TokenFrames(levelCount: configuration.quantizer.count))
            ]
        }

        private var hop: Int { codec.model.configuration.hop }

        /// Takes mono samples at the model's rate and gives the tokens of frames that are decided.
        ///
        /// - Throws: `CodecError` for samples that are not finite; the stream is then as it was.
        public mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames {
            let codes = try encoder.push(samples)
            recording.append(contentsOf: samples)
            return try follow(codes)
        }

        public mutating func finish() throws -> TokenFrames {
            let codes = try encoder.finish()
            let rest = analysis.windowLength + codes.count * hop - recording.count
            recording.append(contentsOf: repeatElement(0, count: rest))
            var decided = try follow(codes)
            decided.append(paths[0].codes)
            paths = [paths[0]]
            paths[0].codes = TokenFrames(levelCount: decided.levelCount)
            return decided
        }

        /// Begins again, as a new stream.
        public mutating func reset() throws { self = try Encoder(codec, width: width) }

        /// - Parameter codes: the encoder's own, of the frames that `recording` goes on with.
        private mutating func follow(_ codes: TokenFrames) throws -> TokenFrames {
            var decided = TokenFrames(levelCount: codes.levelCount)
            for frame in 0..<codes.count {
                try extendPaths(by: candidates(codes[frame..<frame + 1]), of: frame)
                decided.append(decide())
            }
            recording.removeFirst(codes.count * hop)
            return decided
        }

        private func candidates(_ own: TokenFrames) -> [TokenFrames] {
            [own]
                + bits.map { place in
                    var codes = own
                    codes[0, place.level] ^= 1 << place.bit
                    return codes
                }
        }

        /// Follows each path with each candidate and keeps the best.
        private mutating func extendPaths(by candidates: [TokenFrames], of frame: Int) throws {
            let ends = (1...windows).map { $0 * hop / windows }
            let targets = ends.map { end in
                let start = frame * hop + end
                return history.target(analysis(recording[start..<start + analysis.windowLength]))
            }
            let extended = try codec.divided(paths.count * candidates.count) { part in
                var decoders = part.map { paths[$0 / candidates.count].decoder }
                let codes = part.map { candidates[$0 % candidates.count] }
                let decoded = try codec.push(codes, to: &decoders)
                return part.enumerated().map { place, number in
                    var path = paths[number / candidates.count]
                    path.decoder = decoders[place]
                    path.codes.append(codes[place])
                    path.sound = path.sound.suffix(analysis.windowLength) + decoded[place]
                    for (end, target) in zip(ends, targets) {
                        path.cost += target.distance(to: analysis(path.sound[end..<end + analysis.windowLength]))
                    }
                    return path
                }
            }
            // Of equal ones the first, which is the encoder's own.
            let order = extended.indices.sorted { (extended[$0].cost, $0) < (extended[$1].cost, $1) }
            paths = order.prefix(width).map { extended[$0] }
            let least = paths[0].cost
            for index in paths.indices { paths[index].cost -= least }
        }

        /// The frames on which all paths agree, or that have waited long enough for the best path to have its way.
        private mutating func decide() -> TokenFrames {
            var decided = TokenFrames(levelCount: paths[0].codes.levelCount)
            while case let best = paths[0].codes, !best.isEmpty {
                let first = best[0..<1]
                let agreeing = paths.filter { $0.codes[0..<1] == first }
                guard agreeing.count == paths.count || best.count > Self.longestDelay else { break }
                decided.append(first)
                paths = agreeing
                for index in paths.indices { paths[index].codes = paths[index].codes[1..<best.count] }
            }
            return decided
        }
    }
}
