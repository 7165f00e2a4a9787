import Checkpoint
public import Tensor

/// How likely each code of a frame is after those before it: what turns codes into fewer bits than they are numbered with.
///
/// A network of one hidden layer looks at the frames before and at what is already known of this one, code by code and bit by bit; its
/// chances drive a range coder (Larochelle and Murray, "The Neural Autoregressive Distribution Estimator", 2011; Défossez et al.,
/// "High Fidelity Neural Audio Compression", 2022, code their tokens likewise). Every weight is a whole number and so is every sum, so
/// that who decodes finds exactly the chances that who encoded had, on whatever machine. `docs/token-format.md` says how.
public struct TokenPrior: Equatable, Sendable {
    public let layout: TokenLayout
    /// Frames that it looks back.
    public let past: Int
    /// Hidden units.
    public let width: Int
    /// Tells this prior from others; token files carry it.
    public let identity: UInt64
    /// By lag, feature and unit; feature and unit; feature and unit; feature; unit. In steps of 1/64.
    let pastWeights, presentWeights, headWeights, headBias, bias: [Int32]

    /// Weights are whole numbers from minus this to this, which a bf16 holds too.
    public static let largestWeight = 255
    /// What the names of its tensors begin with.
    static let prefix = "prior."
    /// What 1 is among them.
    public static let unit = 64
    /// The most frames to look back, the most units, and the largest codebook that priors are made for.
    public static let limits = (past: 64, width: 1024, entries: 4096)

    /// Where each level's features begin, and how many there are in all: one for each entry of a codebook, one for each bit.
    static func features(of layout: TokenLayout) -> (starts: [Int], count: Int) {
        layout.levels.reduce(into: (starts: [], count: 0)) { features, level in
            features.starts.append(features.count)
            features.count += level.featureCount
        }
    }

    /// The types of the tensors of a prior, by their names in a model file.
    public static func types(layout: TokenLayout, past: Int, width: Int) -> [String: TensorType] {
        let features = features(of: layout).count
        return [
            "prior.past": TensorType(.i16, [past, features, width]),
            "prior.present": TensorType(.i16, [features, width]),
            "prior.head": TensorType(.i16, [features, width]),
            "prior.headBias": TensorType(.i16, [features]),
            "prior.bias": TensorType(.i16, [width]),
        ]
    }

    /// A prior of the tensors that `types` names.
    ///
    /// - Throws: `TokenPriorError` if the layout has no room for one, or they are of other shapes, types or values.
    public init(_ arrays: [String: HostArray], layout: TokenLayout) throws(TokenPriorError) {
        try Self.requireRoom(for: layout)
        guard let shape = arrays["prior.past"]?.shape, shape.rank == 3 else {
            throw TokenPriorError(reason: "there is no 'prior.past' of three axes")
        }
        (past, width) = (shape[0], shape[2])
        guard (1...Self.limits.past).contains(past), (1...Self.limits.width).contains(width) else {
            throw TokenPriorError(
                reason:
                    "\(past) frames and \(width) units, where 1 to \(Self.limits.past) and 1 to \(Self.limits.width) are possible"
            )
        }
        var values: [String: [Int32]] = [:]
        for (name, type) in Self.types(layout: layout, past: past, width: width) {
            guard let array = arrays[name], array.type == type else {
                throw TokenPriorError(
                    reason: "'\(name)' must be \(type), and \(arrays[name].map { "is \($0.type)" } ?? "is missing")")
            }
            values[name] = array.values(as: Int16.self).map { Int32($0) }
            if let value = values[name]!.first(where: { abs($0) > Int32(Self.largestWeight) }) {
                throw TokenPriorError(reason: "'\(name)' has \(value), and weights are \(Self.largestWeight) at most")
            }
        }
        self.layout = layout
        pastWeights = values["prior.past"]!
        presentWeights = values["prior.present"]!
        headWeights = values["prior.head"]!
        headBias = values["prior.headBias"]!
        bias = values["prior.bias"]!
        let weights = arrays.filter { $0.key.hasPrefix(Self.prefix) }
        identity = Fingerprint(of: weights, configuration: "").bytes.littleEndian(UInt64.self, at: 0)
    }

    /// - Throws: `TokenPriorError` if codebooks are larger than priors are made for.
    public static func requireRoom(for layout: TokenLayout) throws(TokenPriorError) {
        if let level = layout.levels.firstIndex(where: { $0.featureCount > limits.entries }) {
            throw TokenPriorError(reason: "level \(level + 1) has more than \(limits.entries) entries")
        }
    }

    /// The tensors as a model file holds them.
    public var arrays: [String: HostArray] {
        let values = [
            "prior.past": pastWeights, "prior.present": presentWeights, "prior.head": headWeights,
            "prior.headBias": headBias, "prior.bias": bias,
        ]
        return Self.types(layout: layout, past: past, width: width).reduce(into: [:]) { arrays, entry in
            arrays[entry.key] = HostArray(values[entry.key]!.map { Int16($0) }, shape: entry.value.shape)
        }
    }
}

/// Why tensors are no prior of a model's tokens.
public struct TokenPriorError: Error, Hashable, CustomStringConvertible {
    public let reason: String
    public var description: String { "no prior of tokens: \(reason)" }
}

extension TokenLayout.Level {
    /// How many inputs of a prior's network stand for a code of this level.
    var featureCount: Int {
        switch self {
        case .vq(let codebookSize): codebookSize
        case .bsq(let bits): bits
        }
    }
}

extension TokenPrior {
    /// How many bits these frames, the first of a file, take.
    ///
    /// - Precondition: they are of this layout.
    public func bits(of frames: TokenFrames) -> Double {
        var length = CodeLength(self)
        length.append(frames)
        return length.bits
    }
}

/// How many bits the codes of a file take, as they come.
public struct CodeLength: Sendable {
    private var cursor: PriorCursor
    private var cost = CodeCost()

    public init(_ prior: TokenPrior) { cursor = PriorCursor(prior) }

    /// Of all frames so far.
    public var bits: Double { cost.bits }

    /// - Precondition: they are of the prior's layout.
    public mutating func append(_ frames: TokenFrames) {
        var codes = frames.codes
        for start in stride(from: 0, to: codes.count, by: frames.levelCount) {
            cursor.code(&codes[start..<start + frames.levelCount], with: &cost)
        }
    }
}
