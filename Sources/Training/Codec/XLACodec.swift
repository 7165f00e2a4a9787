public import Codec
import NN
public import PJRT
public import Tensor
public import Tokenizer
public import XLA

/// A model that encodes and decodes on XLA, in chunks of one size with carried state, so memory does not grow with length.
public final class XLACodec: SpeechCodec {
    public let model: Alpha
    /// Frames in one call. The last chunk of a clip is filled up with silence, which changes nothing before it.
    public let chunkFrames: Int
    private let engine: Engine
    private let parameters: Tree<Buffer>
    private let encoder: Function
    private let decoder: Function
    private let levelOneDecoder: Function
    private let encoderState: [String: TensorType]
    private let decoderState: [String: TensorType]

    public var chunkSamples: Int { chunkFrames * model.configuration.hop }

    /// - Parameter parameters: every parameter of the model by path.
    public init(model: Alpha, parameters: Tree<Buffer>, on engine: Engine, chunkFrames: Int = 100) {
        self.model = model
        self.engine = engine
        self.chunkFrames = chunkFrames
        self.parameters = parameters
        let audio = TensorType(.f32, [1, chunkFrames * model.configuration.hop, 1])
        let codes = TensorType(.i32, [1, chunkFrames, model.quantizer.codeWidth])
        encoderState = Past.initialState { past in
            _ = model.encode(Tensor.input(audio, name: "audio"), &past)
        }
        decoderState = Past.initialState { past in
            _ = model.decode(Tensor.input(codes, name: "codes"), &past)
        }
        let placeholders = Dictionary(
            uniqueKeysWithValues: model.parameters.map { ("parameters.\($0)", $1.tensor) })
        encoder = Function("encode", on: engine, placeholders: placeholders, donating: ["state"]) { arguments in
            var past = Past(streaming: arguments["state"].values)
            let codes = model.encode(arguments["audio"].value, &past)
            return ["codes": .leaf(codes), "state": Tree(past.nextState)]
        }
        func decoding(_ name: String, levelCount: Int?) -> Function {
            Function(name, on: engine, placeholders: placeholders, donating: ["state"]) { arguments in
                var past = Past(streaming: arguments["state"].values)
                let audio = model.decode(arguments["codes"].value, levelCount: levelCount, &past)
                return ["audio": .leaf(audio), "state": Tree(past.nextState)]
            }
        }
        decoder = decoding("decode", levelCount: nil)
        levelOneDecoder = decoding("decode-level-1", levelCount: 1)
    }

    /// A model file's codec.
    public convenience init(_ file: ModelFile, on engine: Engine, chunkFrames: Int = 100) throws {
        try self.init(
            model: file.model, parameters: engine.upload(file.arrays), on: engine, chunkFrames: chunkFrames)
    }

    public func makeEncoder() throws -> Encoder { Encoder(self, state: try zeros(encoderState)) }
    public func makeDecoder() throws -> Decoder { Decoder(self, decoder, state: try zeros(decoderState)) }
    /// A decoder that hears level 1 alone, whatever the other levels say.
    public func makeLevelOneDecoder() throws -> Decoder {
        Decoder(self, levelOneDecoder, state: try zeros(decoderState))
    }

    private func zeros(_ types: [String: TensorType]) throws -> Tree<Buffer> {
        try engine.upload(types.mapValues { HostArray(type: $0, bytes: [UInt8](repeating: 0, count: $0.byteCount)) })
    }

    /// One stream of audio becoming codes.
    public struct Encoder: StreamEncoder {
        private let codec: XLACodec
        private var state: Tree<Buffer>
        private var pending: [Float] = []

        fileprivate init(_ codec: XLACodec, state: Tree<Buffer>) {
            self.codec = codec
            self.state = state
        }

        /// Takes samples and gives the tokens of the chunks they complete.
        public mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames {
            pending.append(contentsOf: samples)
            var codes: [Int32] = []
            var start = 0
            while pending.count - start >= codec.chunkSamples {
                codes += try run(Array(pending[start..<start + codec.chunkSamples]))
                start += codec.chunkSamples
            }
            pending.removeFirst(start)
            return codec.model.configuration.tokens(codes)
        }

        /// Gives the tokens of what is left, its last frame filled up with silence.
        public mutating func finish() throws -> TokenFrames {
            if pending.isEmpty { return codec.model.configuration.tokens([]) }
            let hop = codec.model.configuration.hop
            let frames = (pending.count + hop - 1) / hop
            let silence = [Float](repeating: 0, count: codec.chunkSamples - pending.count)
            let codes = try run(pending + silence)
            pending = []
            return codec.model.configuration.tokens(Array(codes.prefix(frames * codec.model.quantizer.codeWidth)))
        }

        private mutating func run(_ samples: [Float]) throws -> [Int32] {
            let audio = try codec.engine.upload(HostArray(samples, shape: [1, samples.count, 1]))
            let result = try codec.encoder(["parameters": codec.parameters, "state": state, "audio": .leaf(audio)])
            state = result["state"]
            return try result["codes"].value.hostArray().values()
        }
    }

    /// One stream of codes becoming audio.
    public struct Decoder: StreamDecoder {
        private let codec: XLACodec
        private let function: Function
        private var state: Tree<Buffer>
        private var pending: [Int32] = []
        private var late: LateSound

        fileprivate init(_ codec: XLACodec, _ function: Function, state: Tree<Buffer>) {
            self.codec = codec
            self.function = function
            self.state = state
            late = LateSound(codec.model.configuration)
        }

        /// Takes tokens and gives the audio of the chunks they complete.
        public mutating func push(_ frames: TokenFrames) throws -> [Float] {
            late.tell(frames)
            return late.heard(try decode(frames))
        }

        private mutating func decode(_ frames: TokenFrames) throws -> [Float] {
            pending += codec.model.configuration.columns(frames)
            let size = codec.chunkFrames * codec.model.quantizer.codeWidth
            var audio: [Float] = []
            var start = 0
            while pending.count - start >= size {
                audio += try run(Array(pending[start..<start + size]))
                start += size
            }
            pending.removeFirst(start)
            return audio
        }

        /// Gives the audio of what is left.
        public mutating func finish() throws -> [Float] {
            var audio = try late.end().map { try decode($0) } ?? []
            let width = codec.model.quantizer.codeWidth
            if !pending.isEmpty {
                let frames = pending.count / width
                let filler = [Int32](repeating: 0, count: codec.chunkFrames * width - pending.count)
                audio += try run(pending + filler).prefix(frames * codec.model.configuration.hop)
                pending = []
            }
            return late.heard(audio)
        }

        private mutating func run(_ codes: [Int32]) throws -> [Float] {
            let width = codec.model.quantizer.codeWidth
            let array = try codec.engine.upload(HostArray(codes, shape: [1, codec.chunkFrames, width]))
            let result = try function(["parameters": codec.parameters, "state": state, "codes": .leaf(array)])
            state = result["state"]
            return try result["audio"].value.hostArray().values()
        }
    }
}
