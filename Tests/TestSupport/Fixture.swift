public import Foundation
public import Tensor

/// Arrays made by another implementation (`Tests/Oracles`), from `Tests/Fixtures/<name>.safetensors`.
public struct Fixture: Sendable {
    public let arrays: [String: HostArray]
    private let url: URL

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The folder `Tests/Fixtures`.
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    public init(_ name: String) throws {
        url = Self.folder.appending(path: "\(name).safetensors")
        arrays = try Self.read(url)
    }

    public func array(_ name: String) throws -> HostArray {
        guard let array = arrays[name] else {
            throw Failure(description: "\(url.path) has no array \(name): run its generator in Tests/Oracles again")
        }
        return array
    }

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    /// Eight bytes of header length, the header in JSON, then the data.
    private static func read(_ url: URL) throws -> [String: HostArray] {
        let file = [UInt8](try Data(contentsOf: url))
        guard file.count >= 8 else { throw Failure(description: "\(url.path) is shorter than its header") }
        let headerLength = Int(file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let header = try JSONDecoder().decode([String: Entry].self, from: Data(file[8..<8 + headerLength]))
        let data = file[(8 + headerLength)...]
        return try header.mapValues { entry in
            guard let dtype = DType(rawValue: entry.dtype.lowercased()) else {
                throw Failure(description: "\(url.path) holds the dtype \(entry.dtype), which no tensor has")
            }
            let bytes = data.dropFirst(entry.offsets[0]).prefix(entry.offsets[1] - entry.offsets[0])
            return HostArray(type: TensorType(dtype, Shape(entry.shape)), bytes: Array(bytes))
        }
    }
}
