import TestSupport
import Testing

@testable import Tensor

@Suite struct HostArrayTests {
    @Test func everyHalfSurvivesTheWayThroughDouble() {
        let patterns = (0...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 || $0 & 0x3FF == 0 }
        for dtype in [DType.f16, .bf16] {
            // Of bf16, all but NaN: an exponent of ones with a fraction.
            let bits = dtype == .f16 ? patterns : (0...UInt16.max).filter { $0 & 0x7F80 != 0x7F80 || $0 & 0x7F == 0 }
            let type = TensorType(dtype, [bits.count])
            let array = HostArray(type: type, bytes: bits.withUnsafeBytes { Array($0) })
            #expect(HostArray(array.doubles, as: dtype, shape: type.shape) == array)
        }
    }

    @Test func halvesOfNaNStayNaN() {
        for dtype in [DType.f16, .bf16] {
            let nan = HostArray([.nan, -.nan, Double(Float(nan: 1, signaling: false))], as: dtype, shape: [3])
            #expect(nan.doubles.allSatisfy { $0.isNaN })
        }
    }

    @Test func integersTruncateAndSaturate() {
        let values: [Double] = [-1.9, 1.9, -300, 300, .nan, .infinity, -.infinity]
        #expect(HostArray(values, as: .i8, shape: [7]).values(as: Int8.self) == [-1, 1, -128, 127, 0, 127, -128])
        #expect(HostArray(values, as: .u8, shape: [7]).values(as: UInt8.self) == [0, 1, 0, 255, 0, 255, 0])
        #expect(HostArray([0x1p63, -0x1p64], as: .i64, shape: [2]).values(as: Int64.self) == [.max, .min])
        #expect(HostArray([0x1p64, 0x1p53], as: .u64, shape: [2]).values(as: UInt64.self) == [.max, 1 << 53])
    }

    @Test(arguments: DType.allCases) func smallNumbersAreExactInEveryType(_ dtype: DType) {
        let array = HostArray([0, 1, 1, 0], as: dtype, shape: [2, 2])
        #expect(array.bytes.count == 4 * dtype.byteCount && array.doubles == [0, 1, 1, 0])
        #expect(array.floats == [0, 1, 1, 0])
        #expect(array.converted(to: .f64) == HostArray([0.0, 1, 1, 0], shape: [2, 2]))
        #expect(HostArray(repeating: 1, type: array.type).doubles == [1, 1, 1, 1])
    }

    @Test func reshapingKeepsTheElements() {
        let array = HostArray([1, 2, 3, 4, 5, 6] as [Int16], shape: [2, 3])
        #expect(array.reshaped([3, 2]).values(as: Int16.self) == [1, 2, 3, 4, 5, 6])
        #expect(array.reshaped([3, 2]).shape == [3, 2])
    }

    @Test func shapesCountStridesAndDropAxes() {
        let shape: Shape = [2, 3, 4]
        #expect(shape.elementCount == 24 && shape.strides == [12, 4, 1])
        #expect(shape.removing([0, 2]) == [3] && shape.removing([]) == shape)
        #expect(Shape([]).elementCount == 1 && Shape([]).strides == [])
        #expect(Shape([3, 0]).elementCount == 0)
        #expect(TensorType(.bf16, [2, 3]).description == "bf16[2, 3]" && TensorType(.bf16, [2, 3]).byteCount == 12)
    }

    @Test func readingAsAnotherTypeIsAMistake() async {
        await #expect(processExitsWith: .failure) {
            _ = HostArray([1.0, 2.0]).values(as: Float.self)
        }
    }
}
