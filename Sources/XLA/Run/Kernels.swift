internal import CKernels
internal import CXLAKernels
internal import PJRT
internal import Tensor

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The package's own kernels as custom calls of XLA's CPU backend.
///
/// A convolution of seven taps in f32 has half the multiplications in them (`kernels/fast.h`), and no copies of patches: on two
/// cores a codec's encoder and decoder take two thirds of the time. `ALLOPHONE_XLA_KERNELS=0` in the environment leaves all to XLA.
enum Kernels {
    /// In debug builds, which compile C without optimisation, only if the environment asks for them.
    static var areWanted: Bool {
        let wish = ProcessInfo.processInfo.environment["ALLOPHONE_XLA_KERNELS"]
        #if DEBUG
            return wish == "1"
        #else
            return wish != "0"
        #endif
    }

    static let convolution = "allophone_convolution"

    /// Whether programs for this client may call the kernels; registers them.
    static func register(with client: Client) -> Bool {
        guard client.platformName == "cpu" else { return false }
        return
            (try? client.plugin.registerCustomCall(convolution, handler: xk_convolution(), platform: "Host")) != nil
    }

    /// A convolution as the kernel computes it.
    struct Call {
        /// Whether the weights are `[taps, outputs, inputs]`, as they are in the gradient by the operand.
        let isTransposed: Bool
        /// `[taps, inputs, outputs]`.
        let weight: TensorType
        /// Bytes of memory to work in.
        let workspace: Int

        /// Nil if the kernel cannot, or would not be faster: packing the weights anew in each call costs as much as some hundred
        /// rows save.
        init?(_ convolution: Convolution, _ x: TensorType, _ kernel: TensorType) {
            let plain = Convolution.Layout.channelsLast(spatialRank: 1)
            var exchanged = plain
            exchanged.kernel.swapAt(0, 1)
            guard x.dtype == .f32, kernel.dtype == .f32, x.shape.rank == 3,
                convolution.layout == plain || convolution.layout == exchanged,
                convolution.strides == [1], convolution.operandDilation == [1], convolution.batchGroups == 1,
                convolution.featureGroups == 1, convolution.padding.allSatisfy({ $0.low >= 0 && $0.high >= 0 })
            else { return nil }
            isTransposed = convolution.layout == exchanged
            let (taps, dilation) = (kernel.shape[0], convolution.kernelDilation[0])
            let (inputs, outputs) = (x.shape[2], kernel.shape[isTransposed ? 1 : 2])
            let padding = convolution.padding[0]
            let rows = x.shape[1] + padding.low + padding.high - (taps - 1) * dilation
            guard (5...8).contains(taps), inputs >= 32, outputs >= 32, rows >= 6 * dilation, x.shape[0] * rows >= 256
            else { return nil }
            weight = TensorType(.f32, [taps, inputs, outputs])
            var shape = ck_conv(
                taps: taps, inputs: inputs, outputs: outputs, dilation: dilation, type: CK_F32, block_rows: 1)
            workspace = ck_conv_packed_size(&shape) + 64
        }
    }
}
