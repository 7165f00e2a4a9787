public import Checkpoint
import NN
public import Tensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A trained Alpha: its configuration and the value of every parameter.
///
/// The file is a safetensors file; its metadata holds the configuration, so nothing else is needed to use it. Its tensors may be
/// f32, bf16 or f16, each by itself.
public struct ModelFile: Sendable {
    public let model: Alpha
    /// The value of every parameter in f32, whatever the file holds it in.
    public let arrays: [String: HostArray]
    /// Tells this model from every other; token files carry it.
    ///
    /// It is of `arrays`, so of the values and not of how they are stored: rounded weights make other tokens and are another
    /// model, and the same weights widened again are the same.
    public let fingerprint: Fingerprint
    /// How likely its tokens are, if the file says: with it they take fewer bits. It is no part of the fingerprint.
    public let prior: TokenPrior?
    /// Where it was read from, for messages.
    public let path: String
    /// What the file holds each parameter in.
    public let storedTypes: [String: DType]
    /// The header's strings, the configuration among them, as they stand in the file.
    public let metadata: [String: String]

    public static let format = "allophone-alpha"
    public static let version = 1

    /// Reads a model and checks that it holds exactly what its configuration needs, all finite.
    ///
    /// - Throws: `ModelFileError`, `TensorDifferences` if tensors are missing, or of a shape, type or value that no model has,
    ///   and what else reading safetensors throws.
    public init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        guard file.metadata["format"] == Self.format, let text = file.metadata["configuration"] else {
            throw ModelFileError.notAModel(path: path)
        }
        guard let version = file.metadata["version"].flatMap({ Int($0) }), version <= Self.version else {
            throw ModelFileError.newerVersion(path: path, version: file.metadata["version"] ?? "?")
        }
        let configuration: Alpha.Configuration
        do {
            configuration = try JSONDecoder().decode(Alpha.Configuration.self, from: Data(text.utf8))
        } catch { throw ModelFileError.badConfiguration(path: path, reason: "\(error)") }
        do { model = try Alpha(configuration) } catch {
            throw ModelFileError.badConfiguration(path: path, reason: "\(error)")
        }
        let names = file.names.filter { $0.hasPrefix(TokenPrior.prefix) }
        arrays = try file.arrays(matching: model.parameters.mapValues(\.type), leavingOut: Set(names), widening: true)
        do {
            prior =
                try names.isEmpty
                ? nil
                : TokenPrior(
                    Dictionary(uniqueKeysWithValues: names.map { ($0, try file.array(named: $0)) }),
                    layout: model.configuration.tokenLayout)
        } catch let error as TokenPriorError {
            throw ModelFileError.badPrior(path: path, reason: error.reason)
        }
        storedTypes = file.types.filter { !names.contains($0.key) }.mapValues(\.dtype)
        metadata = file.metadata
        fingerprint = Fingerprint(of: arrays, configuration: text)
        self.path = path
    }

    /// A model whose parameters were read, in f32, from a file of another kind at `path`.
    ///
    /// - Throws: `TensorDifferences` if they are not what the model needs, all finite.
    public init(_ arrays: [String: HostArray], of model: Alpha, path: String) throws {
        try verify(expected: model.parameters.mapValues(\.type), found: arrays, in: path, finite: true)
        metadata = try Self.metadata(model.configuration)
        fingerprint = Fingerprint(of: arrays, configuration: metadata["configuration"]!)
        storedTypes = arrays.mapValues(\.dtype)
        prior = nil
        self.model = model
        self.arrays = arrays
        self.path = path
    }

    /// Writes a model atomically.
    public static func write(_ arrays: [String: HostArray], of model: Alpha, to path: String) throws {
        try verify(expected: model.parameters.mapValues(\.type), found: arrays, in: path, finite: true)
        try Safetensors.write(arrays, metadata: try metadata(model.configuration), to: path)
    }

    /// What a model file's header holds beside the tensors.
    public static func metadata(_ configuration: Alpha.Configuration) throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return [
            "format": format, "version": String(version),
            "configuration": String(decoding: try encoder.encode(configuration), as: UTF8.self),
        ]
    }
}

/// A file that is not a model this program can use.
public enum ModelFileError: Error, Hashable, CustomStringConvertible {
    case notAModel(path: String)
    case newerVersion(path: String, version: String)
    case badConfiguration(path: String, reason: String)
    case badPrior(path: String, reason: String)
    case otherConfiguration(path: String, than: String)

    public var description: String {
        switch self {
        case .notAModel(let path):
            "\(path): a safetensors file, but not an Allophone model (its metadata has no configuration). "
                + "Give the model.safetensors that `allophone train` wrote"
        case .newerVersion(let path, let version):
            "\(path): written by a newer Allophone (model format \(version), and this one reads \(ModelFile.version)); update it"
        case .badConfiguration(let path, let reason): "\(path): its configuration cannot be used: \(reason)"
        case .badPrior(let path, let reason):
            "\(path): its prior of tokens cannot be used: \(reason). Make it anew with `allophone prior`"
        case .otherConfiguration(let path, let other):
            "\(path): its configuration is not that of \(other). Give models of one architecture, of which each went on from another"
        }
    }
}
