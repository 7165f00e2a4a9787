import TestSupport
import Testing

@testable import Tensor

/// Dot products, convolutions and Fourier transforms.
@Suite struct ProductTests {
    static let fixture = Result { try Fixture("tensor_products") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values = dots + convolutions + transforms

    private static let dots = [
        ValueCase("matmul") { [matmul($0[0], $0[1]), matmul($0[0].at(0), $0[1]), matmul($0[0], $0[2])] },
        ValueCase("dotBatched") { [dot($0[0], $0[1], contracting: ([3, 1], [2, 3]), batching: ([0], [1]))] },
        ValueCase("dotTwoBatches") { [dot($0[0], $0[1], contracting: ([1], [3]), batching: ([2, 0], [0, 1]))] },
        ValueCase("dotOuter") { [dot($0[0], $0[1], contracting: ([], []))] },
        ValueCase("dotEmpty") { [matmul($0[0], $0[1])] },
        ValueCase("dotSpecial") { [matmul($0[0], $0[1])] },
        ValueCase("dotIntegers") { [matmul($0[0], $0[1])] },
    ]

    private static let convolutions = [
        ValueCase("convolutionPlain") { [convolve($0[0], $0[1])] },
        ValueCase("convolutionCausal") { [convolve($0[0], $0[1], padding: [(4, 0)], dilation: [2])] },
        ValueCase("convolutionStrided") { [convolve($0[0], $0[1], strides: [3], padding: [(1, 2)])] },
        ValueCase("convolutionTransposed") { [convolve($0[0], $0[1], padding: [(3, 3)], operandDilation: [2])] },
        ValueCase("convolutionCropped") { [convolve($0[0], $0[1], padding: [(-2, -1)])] },
        ValueCase("convolutionCroppedDilated") {
            [convolve($0[0], $0[1], strides: [2], padding: [(-3, 2)], dilation: [2], operandDilation: [3])]
        },
        ValueCase("convolutionGrouped") { [convolve($0[0], $0[1], padding: [(1, 1)], groups: 3)] },
        ValueCase("convolutionDepthwise") { [convolve($0[0], $0[1], strides: [2], padding: [(1, 1)], groups: 4)] },
        ValueCase("convolutionBatchGrouped") { inputs in
            Tensor.apply(
                Convolution(
                    strides: [1], padding: [(1, 0)], operandDilation: [1], kernelDilation: [1], batchGroups: 2,
                    layout: .channelsLast(spatialRank: 1)), inputs)
        },
        ValueCase("convolutionTooShort") { [convolve($0[0], $0[1])] },
        ValueCase("convolutionPlane") {
            [
                convolve(
                    $0[0], $0[1], strides: [2, 1], padding: [(1, 0), (-1, 2)], dilation: [1, 2],
                    operandDilation: [1, 2])
            ]
        },
        ValueCase("convolutionVolume") {
            [convolve($0[0], $0[1], strides: [1, 2, 1], padding: [(0, 1), (1, 0), (0, 0)])]
        },
        ValueCase("convolutionChannelsFirst") { inputs in
            Tensor.apply(
                Convolution(
                    strides: [1], padding: [(1, 1)], operandDilation: [1], kernelDilation: [1],
                    layout: .init(operand: [0, 1, 2], kernel: [0, 1, 2], result: [0, 1, 2])), inputs)
        },
        // Operand [height, channels, batch, width], kernel [width, outputs, height, inputs] and result
        // [width, batch, channels, height], with width the first of the spatial axes.
        ValueCase("convolutionMixedLayout") { inputs in
            Tensor.apply(
                Convolution(
                    strides: [2, 1], padding: [(1, 1), (0, 0)], operandDilation: [1, 1], kernelDilation: [1, 1],
                    layout: .init(operand: [2, 1, 3, 0], kernel: [1, 3, 0, 2], result: [1, 2, 0, 3])), inputs)
        },
    ]

    private static let transforms = [1, 2, 3, 5, 8, 12, 30, 31].flatMap { length in
        let tolerance = Tolerance(relative: 1e-5, absolute: 5e-6)
        @Sendable func parts(_ x: ComplexTensor) -> [Tensor] { [x.real, x.imaginary] }
        return [
            ValueCase("rfft\(length)", tolerance) { parts(rfft($0[0])) },
            ValueCase("irfft\(length)", tolerance) { [irfft(ComplexTensor($0[0], $0[1]), length: length)] },
            ValueCase("fft\(length)", tolerance) { parts(fft(ComplexTensor($0[0], $0[1]))) },
            ValueCase("ifft\(length)", tolerance) { parts(ifft(ComplexTensor($0[0], $0[1]))) },
        ]
    }

    /// What is left then is of the other side's padding.
    @Test func aCropMayBeOfMoreThanThereIs() throws {
        let x = HostArray([1, 2, 3, 4] as [Float], shape: [1, 4, 1])
        let kernel = HostArray([5] as [Float], shape: [1, 1, 1])
        for (padding, expected) in [((-5, 3), [0, 0]), ((-3, 3), [20, 0, 0, 0]), ((3, -5), [0, 0])] {
            let graph = Graph([x.type, kernel.type]) { [convolve($0[0], $0[1], padding: [padding])] }
            for backend in TestBackends.all {
                #expect(try backend.run(graph, [x, kernel])[0].doubles == expected.map(Double.init), "\(backend.name)")
            }
        }
    }

    @Test func powerIsTheSquaredMagnitude() throws {
        let parts = [HostArray([3, 0] as [Float]), HostArray([4, -2] as [Float])]
        #expect(try evaluate(parts) { [ComplexTensor($0[0], $0[1]).power] }[0].floats == [25, 4])
    }
}
