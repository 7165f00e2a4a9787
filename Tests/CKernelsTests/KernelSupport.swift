public import CKernels
import Foundation
public import Testing

/// Every instruction set that this machine has.
let instructionSets = [CK_ISA_PORTABLE, CK_ISA_NEON, CK_ISA_AVX2, CK_ISA_AVX512F, CK_ISA_AVX512].filter(
    ck_isa_available)

extension ck_isa: @retroactive CustomTestStringConvertible {
    public var testDescription: String { String(cString: ck_isa_name(self)) }
}

/// Runs `body` with an instruction set on this thread.
func on<T>(_ isa: ck_isa, _ body: () throws -> T) rethrows -> T {
    let before = ck_isa_current()
    _ = ck_isa_use(isa)
    defer { _ = ck_isa_use(before) }
    return try body()
}

/// Memory that stays where it is, for structs of pointers.
final class Memory<Element: BitwiseCopyable> {
    private let buffer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        buffer = .allocate(capacity: elements.count)
        _ = buffer.initialize(from: elements)
    }

    deinit { buffer.deallocate() }

    var start: UnsafeMutablePointer<Element>? { buffer.baseAddress }
    var raw: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(buffer.baseAddress) }
    var array: [Element] { Array(buffer) }
}

/// The same numbers in every run.
struct Noise {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 }

    /// In `-bound ..< bound`.
    mutating func next(_ bound: Float = 1) -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (Float(state >> 40) / Float(1 << 23) - 1) * bound
    }

    mutating func floats(_ count: Int, _ bound: Float = 1) -> [Float] { (0..<count).map { _ in next(bound) } }
}

/// Expects agreement to `tolerance · (1 + |wanted|)`, NaN with NaN and infinities with themselves.
func expectClose(
    _ got: [Float], _ wanted: [Double], _ tolerance: Double, _ comment: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard got.count == wanted.count else {
        Issue.record("\(got.count) values, not \(wanted.count) \(comment())", sourceLocation: sourceLocation)
        return
    }
    for (index, (a, b)) in zip(got, wanted).enumerated() {
        let same = Double(a) == b || Float(b) == a || (a.isNaN && b.isNaN)
        if !same && !(abs(Double(a) - b) <= tolerance * (1 + abs(b))) {
            Issue.record("\(a), not \(b), at \(index) of \(got.count) \(comment())", sourceLocation: sourceLocation)
            return
        }
    }
}

/// The nearest bf16, as f32: to even in the middle.
func bf16(_ x: Float) -> Float {
    if x.isNaN || x.isInfinite { return x }
    let bits = x.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
}

/// x + sin²(αx) / (α + 10⁻⁹)
func snake(_ x: Double, _ alpha: Float) -> Double {
    let sine = sin(Double(alpha) * x)
    return x + sine * sine / (Double(alpha) + 1e-9)
}
