import Audio
import Checkpoint
import NN
public import Native
import Phonemes
public import Tensor
public import Tokenizer

/// A model that encodes and decodes on this CPU, with no plugin.
///
/// Streams are values: a copy is a second stream that goes on from the same place, and a new one is a reset. All streams
/// share one set of packed weights, and may run on different threads at once. A frame's tokens come with its last sample:
/// there is no look-ahead. They are the same, bit for bit, however a stream is cut into calls.
public final class NativeCodec: SpeechCodec {
    public let model: Alpha
    /// Frames that are computed at once where so many are given.
    public let blockFrames: Int
    /// How many frames are computed at once, the most first: whole blocks, then quarters of one, then single frames. A frame
    /// alone takes half as long again, and on one thread; a plan for every number would take longer to make than it saves.
    private let steps: [Int]
    private let programs: [Direction: StreamProgram]
    private let weights: SharedWeights
    private let workers: WorkerPool?

    public var chunkSamples: Int { blockFrames * model.configuration.hop }
    /// Bytes of the weights in the form that is computed with.
    public var weightByteCount: Int { weights.packedByteCount }

    /// - Parameters:
    ///   - arrays: every parameter of the model by path; not kept.
    ///   - precision: what weights are held and multiplied in.
    ///   - threads: how many share the work of a block; a single frame is computed by the calling thread,
    ///     unless codes are searched.
    ///   - blockFrames: more are faster up to a point, and take more memory.
    ///   - directions: what it will be used for; less loads faster and takes less memory.
    ///   - source: where the arrays are from, for errors.
    /// - Throws: `TensorDifferences` if these are not the model's parameters or are not finite, `CodecError.noPhonemes` where `directions` ask
    ///   for them of a model without, `PlanError`.
    public convenience init(
        model: Alpha, arrays: [String: HostArray], precision: Precision = .f32, threads: Int = 1,
        blockFrames: Int = 16, directions: Set<Direction> = [.encoding, .decoding], source: String = "model"
    ) throws {
        try verify(expected: model.parameters.mapValues(\.type), found: arrays, in: source, finite: true)
        try self.init(
            verified: arrays, of: model, precision: precision, threads: threads, blockFrames: blockFrames,
            directions: directions)
    }

    /// - Parameter arrays: the model's parameters, all finite.
    private init(
        verified arrays: [String: HostArray], of model: Alpha, precision: Precision, threads: Int, blockFrames: Int,
        directions: Set<Direction>
    ) throws {
        if directions.contains(.listening) && model.configuration.phonemes == nil { throw CodecError.noPhonemes }
        self.model = model
        self.blockFrames = max(1, blockFrames)
        steps = [self.blockFrames, self.blockFrames / 4, 1].filter { $0 > 0 }
        weights = SharedWeights(
            model.parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value.tensor, arrays[$0.key]!) })
        let workers = threads > 1 ? WorkerPool(width: threads) : nil
        let (hop, width) = (model.configuration.hop, model.quantizer.codeWidth)
        var programs: [Direction: StreamProgram] = [:]
        for direction in directions {
            let program = StreamProgram(weights: weights, precision: precision, workers: workers) {
                frames, batch, past in
                switch direction {
                case .encoding:
                    let audio = Tensor.input(TensorType(.f32, [batch, frames * hop, 1]), name: "audio")
                    return (audio, model.encode(audio, &past))
                case .searching:
                    let audio = Tensor.input(TensorType(.f32, [batch, frames * hop, 1]), name: "audio")
                    return (audio, model.coordinates(audio, &past))
                case .listening:
                    let audio = Tensor.input(TensorType(.f32, [batch, frames * hop, 1]), name: "audio")
                    return (audio, model.phonemeScores(audio, priorStrength: Self.priorStrength, &past))
                case .decoding:
                    let codes = Tensor.input(TensorType(.i32, [batch, frames, width]), name: "codes")
                    return (codes, model.decode(codes, &past))
                case .decodingLevelOne:
                    let codes = Tensor.input(TensorType(.i32, [batch, frames, width]), name: "codes")
                    return (codes, model.decode(codes, levelCount: 1, &past))
                }
            }
            // A plan that a stream has to wait for would be heard.
            for frames in steps { try program.prepare(frames: frames, batch: 1) }
            programs[direction] = program
        }
        self.programs = programs
        self.workers = workers
        weights.release()
    }

    /// What a codec is used for.
    public enum Direction: String, Hashable, Sendable, CaseIterable {
        case encoding, decoding
        /// Decoding of what level 1 says alone.
        case decodingLevelOne
        /// Scores of phonemes; of models that have them.
        case listening
        /// Encoding by a `SearchingCodec`, which decodes too.
        case searching
    }

    func program(_ direction: Direction) throws(CodecError) -> StreamProgram {
        guard let program = programs[direction] else { throw .notLoaded(direction.rawValue) }
        return program
    }

    /// A model file's codec; reading the file has verified it.
    public convenience init(
        _ file: ModelFile, precision: Precision = .f32, threads: Int = 1, blockFrames: Int = 16,
        directions: Set<Direction> = [.encoding, .decoding]
    ) throws {
        try self.init(
            verified: file.arrays, of: file.model, precision: precision, threads: threads, blockFrames: blockFrames,
            directions: directions)
    }

    /// A new stream of sound. Throws `CodecError.notLoaded` if the codec was not made for encoding.
    public func makeEncoder() throws -> Encoder { Encoder(self, try program(.encoding)) }
    /// A new stream of tokens. Throws `CodecError.notLoaded` if the codec was not made for decoding.
    public func makeDecoder() throws -> Decoder { Decoder(self, try program(.decoding)) }
    /// A new stream of tokens of which level 1 alone is heard. Throws `CodecError.notLoaded` likewise.
    public func makeLevelOneDecoder() throws -> Decoder { Decoder(self, try program(.decodingLevelOne)) }

    /// A new stream of sound whose phonemes are to be told. Throws `CodecError.notLoaded` likewise.
    public func makeListener() throws -> Listener {
        Listener(self, try program(.listening), entries: model.configuration.phonemes?.count ?? 0)
    }

    /// Of scores of phonemes: with it a path through the frames is not drawn to blank.
    static let priorStrength = 1.0

    /// How many frames to compute next, of so many.
    func step(_ frames: Int) -> Int { steps.first { $0 <= frames } ?? 1 }

    /// What `body` makes of each of `0 ..< count`, shared out among the threads, in order.
    func shared<Element>(_ count: Int, _ body: (Int) throws -> Element) throws -> [Element] {
        // Where another run has the workers, this one goes on alone.
        guard let workers, workers.claim() else { return try (0..<count).map(body) }
        defer { workers.release() }
        var parts = [Result<[Element], any Error>](repeating: .success([]), count: workers.width)
        parts.withUnsafeMutableBufferPointer { parts in
            workers.run { part in
                let own = count * part / workers.width..<count * (part + 1) / workers.width
                parts[part] = Result { try own.map(body) }
            }
        }
        return try parts.flatMap { try $0.get() }
    }

    var threads: Int { workers?.width ?? 1 }

    // Of elements in memory: a collection of any kind is walked by calls, which take as long as a tenth of the encoder.
    package static func check(_ samples: UnsafeBufferPointer<Float>) throws(CodecError) {
        guard let index = samples.firstIndex(where: { !($0.magnitude <= loudestSample) }) else { return }
        let sample = samples[index]
        throw sample.isFinite ? .tooLoud(sample: index, value: sample) : .notFinite(sample: index)
    }

    package func check(_ frames: TokenFrames) throws {
        let levels = try model.configuration.tokenLayout.levels
        guard frames.levelCount == levels.count else {
            throw CodecError.levelCount(expected: levels.count, given: frames.levelCount)
        }
        for frame in 0..<frames.count {
            for (level, kind) in levels.enumerated() where frames[frame, level] > kind.largestCode {
                throw CodecError.code(frames[frame, level], frame: frame, level: level, largest: kind.largestCode)
            }
        }
    }
}

extension NativeCodec {
    /// One stream of sound becoming tokens.
    public struct Encoder: StreamEncoder, Sendable {
        var stream: FrameStream

        init(_ codec: NativeCodec, _ program: StreamProgram) { stream = FrameStream(codec, program) }

        private var configuration: Alpha.Configuration { stream.codec.model.configuration }

        /// Takes mono samples at the model's rate and gives the tokens of the frames that they complete.
        ///
        /// - Throws: `CodecError` for samples that are not finite or far too loud; the stream is then as it was.
        public mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames {
            configuration.tokens(try stream.push(samples, width: configuration.codeWidth, filling: Int32(0)))
        }

        public mutating func finish() throws -> TokenFrames {
            configuration.tokens(try stream.finish(width: configuration.codeWidth, filling: Int32(0)))
        }

        /// Begins again, as a new stream.
        public mutating func reset() { stream = FrameStream(stream.codec, stream.program) }

        /// How many frames so many more samples would complete.
        public func frames(completedBy samples: Int) -> Int { (stream.pending.count + samples) / configuration.hop }
    }

    /// One stream of sound becoming scores of phonemes; see `Alpha.phonemeScores`.
    public struct Listener: Sendable {
        private var stream: FrameStream
        /// Scores of a frame: the entries of the model's inventory.
        public let entries: Int

        init(_ codec: NativeCodec, _ program: StreamProgram, entries: Int) {
            stream = FrameStream(codec, program)
            self.entries = entries
        }

        /// Takes mono samples at the model's rate and gives the scores of the frames that they complete, `[frames, entries]`, row-major.
        ///
        /// - Throws: `CodecError` for samples that are not finite or far too loud; the stream is then as it was.
        public mutating func push(_ samples: some Collection<Float>) throws -> [Float] {
            try stream.push(samples, width: entries, filling: Float(0))
        }

        /// Gives the scores of what is left, the last frame filled up with silence.
        public mutating func finish() throws -> [Float] { try stream.finish(width: entries, filling: Float(0)) }
    }

    /// One stream of tokens becoming sound.
    public struct Decoder: StreamDecoder, Sendable {
        let codec: NativeCodec
        let program: StreamProgram
        var state: [Float]
        var late: LateSound

        init(_ codec: NativeCodec, _ program: StreamProgram) {
            self.codec = codec
            self.program = program
            state = [Float](repeating: 0, count: program.stateCount)
            late = LateSound(codec.model.configuration)
        }

        /// Takes frames of tokens and gives their samples at once, or those of as many frames before where the model's decoder is late.
        ///
        /// - Throws: `CodecError` for codes that the model does not have; the stream is then as it was.
        public mutating func push(_ frames: TokenFrames) throws -> [Float] {
            try codec.check(frames)
            late.tell(frames)
            return late.heard(try decode(frames))
        }

        /// Gives the samples of the last frames where the model's decoder is late; otherwise none are left. It ends the stream.
        public mutating func finish() throws -> [Float] {
            guard let rest = late.end() else { return [] }
            return late.heard(try decode(rest))
        }

        private mutating func decode(_ frames: TokenFrames) throws -> [Float] {
            let (hop, width) = (codec.model.configuration.hop, codec.model.quantizer.codeWidth)
            let columns = codec.model.configuration.columns(frames)
            var samples = [Float](repeating: 0, count: frames.count * hop)
            try columns.withUnsafeBufferPointer { columns in
                try samples.withUnsafeMutableBufferPointer { samples in
                    var done = 0
                    while done < frames.count {
                        let count = codec.step(frames.count - done)
                        try program.run(
                            frames: count, state: &state, input: columns.baseAddress! + done * width,
                            output: samples.baseAddress! + done * hop, isShared: count > 1)
                        done += count
                    }
                }
            }
            return samples
        }

        /// Begins again, as a new stream.
        public mutating func reset() { self = Decoder(codec, program) }
    }
}
