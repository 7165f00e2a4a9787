public import Tokenizer

/// A codec whose encoder tries codes out and keeps those that decode to what is nearest the recording.
///
/// Analysis by synthesis (Atal and Remde, "A new model of LPC excitation", 1982): a frame is decoded with the encoder's own
/// code and with one or two bits turned over of those of binary spherical quantizers that lie nearest to where they would turn, after
/// each of the best paths so far, of which so many are followed (the M-algorithm; Anderson and Mohan, 1984). Tokens have the same form,
/// any decoder takes them, and they are as many; they say more, and take many times longer to find. Phonemes, and what a VQ chose, stay
/// as they are.
public struct SearchingCodec: SpeechCodec {
    public let codec: NativeCodec
    /// How many paths are followed.
    public let paths: Int
    /// What codes will be written with, if with anything: then a bit that they take counts too.
    public let prior: TokenPrior?

    public var model: Alpha { codec.model }
    public var chunkSamples: Int { codec.chunkSamples }

    /// More take more time and memory.
    public static let possiblePaths = 1...64

    /// - Parameters:
    ///   - codec: made for `.searching` and `.decoding`.
    ///   - paths: one of `possiblePaths`. 1 decides each frame with its last sample; with more a frame is decided when all paths have come to agree on it, or
    ///     `Encoder.longestDelay` frames later.
    ///   - prior: what codes will be written with; of the model's token layout.
    /// - Throws: `CodecError.notLoaded`, `CodecError.nothingToSearch` if no bits of the model may be turned over.
    public init(_ codec: NativeCodec, paths: Int, prior: TokenPrior? = nil) throws(CodecError) {
        guard !codec.model.configuration.searchedColumns.isEmpty else { throw .nothingToSearch }
        precondition(Self.possiblePaths.contains(paths), "\(paths) paths")
        let layout = try? codec.model.configuration.tokenLayout
        precondition(prior.map { $0.layout == layout } ?? true, "the prior is of tokens of another layout")
        _ = (try codec.program(.searching), try codec.program(.decoding))
        self.codec = codec
        self.paths = paths
        self.prior = prior
    }

    public func makeEncoder() throws -> Encoder { try Encoder(codec, paths: paths, prior: prior) }
    public func makeDecoder() throws -> NativeCodec.Decoder { try codec.makeDecoder() }
    public func makeLevelOneDecoder() throws -> NativeCodec.Decoder { try codec.makeLevelOneDecoder() }
}

extension Alpha.Configuration {
    /// The columns of codes that are bits and may be turned over; phonemes stay what they are.
    fileprivate var searchedColumns: [Int] {
        var columns: [Int] = []
        var place = 0
        for (index, level) in quantizer.enumerated() {
            let width = level.kind == .vq ? 1 : level.bits ?? 0
            if level.kind == .bsq && !(index == 0 && phonemes != nil) { columns += place..<place + width }
            place += width
        }
        return columns
    }
}

extension SearchingCodec {
    /// One stream of sound becoming tokens.
    public struct Encoder: StreamEncoder, Sendable {
        /// Frames that may wait for what follows them.
        public static let longestDelay = 16
        /// With at most two turned over 5 are 16 candidates, which is how many streams a decoder steps at once, and 7 are 29. Who has the
        /// time for many paths gets more of twice as many candidates than of as many paths again.
        private var unsureBits: Int { pathCount < 8 ? 5 : 7 }
        /// What a bit counts that codes take, beside the distance between envelopes: about as many then as the encoder's own codes take, and
        /// no worse a sound than if bits were free (`docs/benchmarks.md`, "A prior of tokens").
        private static let bitWeight = 0.003

        private let codec: NativeCodec
        private let pathCount: Int
        private let prior: TokenPrior?
        private let codeWidth: Int
        private let analysis: EnvelopeAnalysis
        /// How many windows end in each frame: about one in 10 ms, as each is 26 to 32 ms long.
        private let windows: Int
        /// Of a frame's columns, the bits that may be turned over.
        private let searched: [Int]
        /// Of each column, whether it is the index of a VQ.
        private let isIndex: [Bool]
        private var coordinates: FrameStream
        private var history = EnvelopeTarget.History()
        /// The sound that no path has been told, after as much as a window sees of what they have.
        private var recording: [Float]
        private var paths: [Path]

        private struct Path: Sendable {
            var decoder: NativeCodec.Decoder
            /// The last of what it decodes to, as long as a window and a frame.
            var sound: [Float]
            var cost = 0.0
            /// Of its codes.
            var length: CodeLength?
            /// Frames that are not decided.
            var codes: TokenFrames
        }

        init(_ codec: NativeCodec, paths count: Int, prior: TokenPrior?) throws {
            let configuration = codec.model.configuration
            self.codec = codec
            pathCount = count
            self.prior = prior
            codeWidth = configuration.codeWidth
            analysis = EnvelopeAnalysis(sampleRate: configuration.sampleRate)
            windows = max(1, (100 * configuration.hop + configuration.sampleRate / 2) / configuration.sampleRate)
            searched = configuration.searchedColumns
            isIndex = configuration.quantizer.flatMap { level in
                level.kind == .vq ? [true] : [Bool](repeating: false, count: level.bits ?? 0)
            }
            coordinates = FrameStream(codec, try codec.program(.searching))
            recording = [Float](repeating: 0, count: analysis.windowLength)
            paths = [
                Path(
                    decoder: try codec.makeDecoder(), sound: recording, length: prior.map { CodeLength($0) },
                    codes: TokenFrames(levelCount: configuration.quantizer.count))
            ]
        }

        private var hop: Int { codec.model.configuration.hop }

        /// Takes mono samples at the model's rate and gives the tokens of frames that are decided.
        ///
        /// - Throws: `CodecError` for samples that are not finite or far too loud; the stream is then as it was.
        public mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames {
            let coordinates = try coordinates.push(samples, width: codeWidth, filling: Float(0))
            recording.append(contentsOf: samples)
            return try follow(coordinates)
        }

        public mutating func finish() throws -> TokenFrames {
            let coordinates = try coordinates.finish(width: codeWidth, filling: Float(0))
            let rest = analysis.windowLength + coordinates.count / codeWidth * hop - recording.count
            recording.append(contentsOf: repeatElement(0, count: rest))
            var decided = try follow(coordinates)
            decided.append(paths[0].codes)
            paths = [paths[0]]
            paths[0].codes = TokenFrames(levelCount: decided.levelCount)
            return decided
        }

        /// Begins again, as a new stream.
        public mutating func reset() throws { self = try Encoder(codec, paths: pathCount, prior: prior) }

        /// - Parameter coordinates: of the frames that `recording` goes on with.
        private mutating func follow(_ coordinates: [Float]) throws -> TokenFrames {
            var decided = TokenFrames(levelCount: paths[0].codes.levelCount)
            let frames = coordinates.count / codeWidth
            for frame in 0..<frames {
                try extendPaths(by: candidates(coordinates[frame * codeWidth..<(frame + 1) * codeWidth]), of: frame)
                decided.append(decide())
            }
            recording.removeFirst(frames * hop)
            return decided
        }

        /// The encoder's own codes of a frame, and then those with one or two of its least sure bits turned over.
        private func candidates(_ coordinates: ArraySlice<Float>) -> [TokenFrames] {
            let row = Array(coordinates)
            let own = zip(row, isIndex).map { $1 ? Int32($0) : $0 >= 0 ? 1 : 0 }
            let unsure = searched.sorted { abs(row[$0]) < abs(row[$1]) }.prefix(unsureBits)
            let pairs = unsure.indices.flatMap { one in unsure[..<one].map { [unsure[one], $0] } }
            return ([[]] + unsure.map { [$0] } + pairs).map { turned in
                var columns = own
                for column in turned { columns[column] = 1 - columns[column] }
                return codec.model.configuration.tokens(columns)
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
                let branches = try codec.branches(
                    part.map { candidates[$0 % candidates.count] },
                    of: part.map { paths[$0 / candidates.count].decoder })
                return zip(part, branches).map { number, branch in
                    let path = paths[number / candidates.count]
                    let sound: [Float] = path.sound.suffix(analysis.windowLength) + branch.samples
                    let cost = zip(ends, targets).reduce(path.cost) { cost, window in
                        let (end, target) = window
                        return cost + target.distance(to: analysis(sound[end..<end + analysis.windowLength]))
                    }
                    var length = path.length
                    length?.append(candidates[number % candidates.count])
                    let added = (length?.bits ?? 0) - (path.length?.bits ?? 0)
                    return (
                        number: number, branch: branch, sound: sound, length: length,
                        cost: cost + Self.bitWeight * added
                    )
                }
            }
            // Of equal ones the first, which is the encoder's own.
            let best = extended.sorted { ($0.cost, $0.number) < ($1.cost, $1.number) }.prefix(pathCount)
            paths = best.map { one in
                var codes = paths[one.number / candidates.count].codes
                codes.append(candidates[one.number % candidates.count])
                return Path(
                    decoder: one.branch.decoder, sound: one.sound, cost: one.cost, length: one.length, codes: codes)
            }
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
