public import Tokenizer

/// A codec whose encoder tries codes out and keeps those that decode to what is nearest the recording.
///
/// Analysis by synthesis (Atal and Remde, "A new model of LPC excitation", 1982): a frame is decoded with the encoder's own
/// code, with one bit turned over of those of binary spherical quantizers that lie nearest to where they would turn, and with the pairs of
/// these that promise most, after each of the best paths so far, of which so many are followed (the M-algorithm; Anderson and Mohan,
/// 1984). Tokens have the same form, any decoder takes them, and they are as many; they say more, and take many times longer to find.
/// Phonemes, and what a VQ chose, stay as they are.
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
    ///   - paths: one of `possiblePaths`. 1 decides each frame with its last sample, or as many frames later as the model's decoder is late; with
    ///     more a frame is decided when all paths have come to agree on it, or `Encoder.longestDelay` frames later still.
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
        /// More are no better: what a bit says that the encoder was sure of is not all heard in envelopes.
        private static let unsureBits = 9
        /// Of the pairs of those bits, those whose two gain most alone: with the encoder's own 16 codes after each path.
        private static let pairsTried = 6
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
        /// What the encoder says of frames that no path has been told: a candidate of a late decoder is judged by what it sounds like
        /// with the encoder's own codes after it.
        private var untold: [Float] = []
        private var history: EnvelopeTarget.History
        /// Of the frames that paths have been told and have not given the sound of, and of the one before them.
        private var targets: [[EnvelopeTarget]] = []
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
            history = EnvelopeTarget.History(analysis.bands)
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
        private var decoderDelay: Int { codec.model.configuration.decoderDelay ?? 0 }

        /// Takes mono samples at the model's rate and gives the tokens of frames that are decided.
        ///
        /// - Throws: `CodecError` for samples that are not finite or far too loud; the stream is then as it was.
        public mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames {
            untold += try coordinates.push(samples, width: codeWidth, filling: Float(0))
            recording.append(contentsOf: samples)
            return try follow(untold.count / codeWidth - decoderDelay)
        }

        public mutating func finish() throws -> TokenFrames {
            untold += try coordinates.finish(width: codeWidth, filling: Float(0))
            let frames = untold.count / codeWidth
            let rest = analysis.windowLength + frames * hop - recording.count
            recording.append(contentsOf: repeatElement(0, count: rest))
            var decided = try follow(frames)
            decided.append(paths[0].codes)
            paths = [paths[0]]
            paths[0].codes = TokenFrames(levelCount: decided.levelCount)
            return decided
        }

        /// Begins again, as a new stream.
        public mutating func reset() throws { self = try Encoder(codec, paths: pathCount, prior: prior) }

        /// Tells the paths so many frames more, if any.
        private mutating func follow(_ frames: Int) throws -> TokenFrames {
            var decided = TokenFrames(levelCount: paths[0].codes.levelCount)
            guard frames > 0 else { return decided }
            for frame in 0..<frames {
                let rows = (frame...frame + decoderDelay).map { untold.dropFirst($0 * codeWidth).prefix(codeWidth) }
                addTargets(of: frame)
                try extendPaths(
                    by: rows[0], then: rows.dropFirst().filter { !$0.isEmpty }.map { ownCodes($0) })
                decided.append(decide())
            }
            untold.removeFirst(frames * codeWidth)
            recording.removeFirst(frames * hop)
            return decided
        }

        /// Of the frames that a late decoder sounds next, how many are of what was before the stream.
        private var framesBefore: Int { decoderDelay + 1 - targets.count }

        /// Goes on to what a frame is to sound like.
        private mutating func addTargets(of frame: Int) {
            targets.append(
                ends.map { end in
                    let start = frame * hop + end
                    return history.target(analysis(recording[start..<start + analysis.windowLength]))
                })
            if targets.count > decoderDelay + 1 { targets.removeFirst() }
        }

        /// Where in a frame windows end.
        private var ends: [Int] { (1...windows).map { $0 * hop / windows } }

        private func ownColumns(_ coordinates: some Sequence<Float>) -> [Int32] {
            zip(coordinates, isIndex).map { $1 ? Int32($0) : $0 >= 0 ? 1 : 0 }
        }

        private func ownCodes(_ coordinates: some Sequence<Float>) -> TokenFrames {
            codec.model.configuration.tokens(ownColumns(coordinates))
        }

        /// A path with a frame more that is tried.
        private struct Trial: Sendable {
            var path: Int
            /// The columns of the frame's codes that are not as the encoder has them.
            var turned: [Int]
            var codes: TokenFrames
            var sound: [Float]
            var length: CodeLength?
            var cost: Double
            /// What it costs with the encoder's own codes after it.
            var expected: Double
        }

        /// Follows each path with the encoder's own codes of a frame and with one or two bits of them turned over, and keeps what is best.
        private mutating func extendPaths(by coordinates: ArraySlice<Float>, then own: [TokenFrames]) throws {
            let row = Array(coordinates)
            let columns = ownColumns(row)
            let unsure = searched.sorted { abs(row[$0]) < abs(row[$1]) }.prefix(Self.unsureBits)
            let single = try heard(paths.map { _ in [[]] + unsure.map { [$0] } }, of: columns, then: own)
            let pairs = try heard(single.map { promisingPairs($0) }, of: columns, then: own)
            // Of equal ones the first, with the fewest bits turned over.
            let best = (single + pairs).flatMap { $0 }.sorted {
                ($0.expected, $0.path, $0.turned.count) < ($1.expected, $1.path, $1.turned.count)
            }.prefix(pathCount)
            var decoders = best.map { paths[$0.path].decoder }
            _ = try codec.push(best.map { $0.codes }, to: &decoders)
            paths = zip(best, decoders).map { one, decoder in
                var codes = paths[one.path].codes
                codes.append(one.codes)
                return Path(decoder: decoder, sound: one.sound, cost: one.cost, length: one.length, codes: codes)
            }
            let least = paths[0].cost
            for index in paths.indices { paths[index].cost -= least }
        }

        /// Of a path with none and with each of some bits turned over, the pairs of bits that would be best if what they change did not
        /// hang on one another.
        private func promisingPairs(_ trials: [Trial]) -> [[Int]] {
            let single = trials.dropFirst()
            let pairs = single.indices.flatMap { one in
                single[..<one].map { other in
                    (turned: single[one].turned + other.turned, expected: single[one].expected + other.expected)
                }
            }
            return pairs.sorted { $0.expected < $1.expected }.prefix(Self.pairsTried).map { $0.turned }
        }

        /// What each path becomes with each of some sets of its own of as many columns turned over.
        private func heard(_ sets: [[[Int]]], of columns: [Int32], then own: [TokenFrames]) throws -> [[Trial]] {
            let batches = batches(of: sets[0].count)
            guard !batches.isEmpty else { return [] }
            let parts = try codec.shared(paths.count * batches.count) { job in
                let index = job / batches.count
                let path = paths[index]
                let sets = sets[index][batches[job % batches.count]]
                let codes = sets.map { codec.model.configuration.tokens(Self.turning($0, in: columns)) }
                let sounds = try codec.previews(codes.map { continuation($0, own) }, of: path.decoder)
                return zip(zip(sets, codes), sounds).map { set, sound in
                    let (turned, codes) = set
                    let sound = path.sound.suffix(analysis.windowLength) + silencingWhatIsEarly(sound)
                    let distances = distances(Array(sound))
                    var length = path.length
                    length?.append(codes)
                    let added = (length?.bits ?? 0) - (path.length?.bits ?? 0)
                    let cost = path.cost + Self.bitWeight * added + distances[0]
                    return Trial(
                        path: index, turned: turned, codes: codes,
                        sound: Array(sound.prefix(analysis.windowLength + hop)), length: length, cost: cost,
                        expected: cost + distances.dropFirst().reduce(0, +))
                }
            }
            return paths.indices.map { parts[$0 * batches.count..<($0 + 1) * batches.count].flatMap { $0 } }
        }

        private static func turning(_ turned: [Int], in columns: [Int32]) -> [Int32] {
            var columns = columns
            for column in turned { columns[column] = 1 - columns[column] }
            return columns
        }

        /// Parts of so many candidates that are decoded together: no larger than gains anything, and if few more do it, so many that all threads
        /// have as much to do.
        private func batches(of count: Int) -> [Range<Int>] {
            var parts = (count + NativeCodec.largestBatch - 1) / NativeCodec.largestBatch
            while paths.count * parts % codec.threads != 0 && paths.count * parts < 4 * codec.threads { parts += 1 }
            return (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }.filter { !$0.isEmpty }
        }

        /// A candidate and the encoder's codes after it; at the end of the stream the last again, as a decoder is told there.
        private func continuation(_ candidate: TokenFrames, _ own: [TokenFrames]) -> TokenFrames {
            var frames = candidate
            for frame in 0..<decoderDelay { frames.append(frame < own.count ? own[frame] : own.last ?? candidate) }
            return frames
        }

        /// What a late decoder gives before the stream's own sound; before the stream is silence.
        private func silencingWhatIsEarly(_ sound: [Float]) -> [Float] {
            let early = max(0, framesBefore) * hop
            return [Float](repeating: 0, count: early) + sound[early...]
        }

        /// How far each frame of a sound, after as much as a window sees, is from what it is to be; 0 where that is before the stream.
        private func distances(_ sound: [Float]) -> [Double] {
            let early = framesBefore
            return [Double](repeating: 0, count: early)
                + targets.enumerated().map { place, targets in
                    zip(ends, targets).reduce(0) { sum, window in
                        let start = (early + place) * hop + window.0
                        return sum + window.1.distance(to: analysis(sound[start..<start + analysis.windowLength]))
                    }
                }
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
