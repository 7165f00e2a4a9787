import Glibc
import PJRT

/// The plugins every test runs on: the one Allophone is built for, and one from a much newer XLA, whose structs are
/// larger than the header's.
enum TestPlugin: String, CaseIterable, CustomStringConvertible {
    case pinned = "cpu/xla_cpu_pjrt.so"
    case newer = "skew/pjrt_c_api_cpu_plugin.so"

    /// The newer plugin is only for tests, so it may not have been fetched.
    static let present = allCases.filter { $0 == .pinned || $0.isPresent }

    static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/.xla"

    var path: String { "\(Self.folder)/\(rawValue)" }
    var isPresent: Bool { access(path, R_OK) == 0 }
    var description: String { self == .pinned ? "pinned" : "newer" }

    func client(devices: Int = 1) throws -> Client {
        try Client(plugin: try Plugin.load(path: path), options: ["cpu_device_count": .integer(devices)])
    }
}

extension Client {
    func makeBuffer<Element: BitwiseCopyable>(
        _ elements: [Element], type: ElementType, dimensions: [Int], device: Device? = nil
    ) throws -> Buffer {
        try elements.withUnsafeBytes { try makeBuffer(bytes: $0, type: type, dimensions: dimensions, device: device) }
    }
}

extension Buffer {
    func floats() throws -> [Float] { try toHost().floats }
}

extension [UInt8] {
    var floats: [Float] {
        stride(from: 0, to: count, by: 4).map { index in
            withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index, as: Float.self) }
        }
    }
}

enum Program {
    /// `(a + b) · b` for `[2, 2]` matrices.
    static let addThenMultiply = """
        module @add_then_multiply {
          func.func public @main(%a: tensor<2x2xf32>, %b: tensor<2x2xf32>) -> tensor<2x2xf32> {
            %sum = stablehlo.add %a, %b : tensor<2x2xf32>
            %product = stablehlo.dot_general %sum, %b, contracting_dims = [1] x [0]
              : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
            return %product : tensor<2x2xf32>
          }
        }
        """

    /// `x + 1` in place of `x`, of `[4]`.
    static let increment = """
        module @increment {
          func.func public @main(%x: tensor<4xf32> {tf.aliasing_output = 0 : i32}) -> tensor<4xf32> {
            %one = stablehlo.constant dense<1.0> : tensor<4xf32>
            %y = stablehlo.add %x, %one : tensor<4xf32>
            return %y : tensor<4xf32>
          }
        }
        """
}
