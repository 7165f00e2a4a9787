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

    static let pack = "allophone_pack"
    static let convolution = "allophone_convolution"
    static let gradient = "allophone_convolution_gradient"
    static let sum = "allophone_sum"

    /// Whether programs for this client may call the kernels; registers them.
    static func register(with client: Client) -> Bool {
        guard client.platformName == "cpu" else { return false }
        let handlers = [
            (pack, xk_pack()), (convolution, xk_convolution()), (gradient, xk_convolution_gradient()), (sum, xk_sum()),
        ]
        return handlers.allSatisfy { name, handler in
            guard let handler else { return false }
            return (try? client.plugin.registerCustomCall(name, handler: handler, platform: "Host")) != nil
        }
    }

    /// A convolution as a kernel computes it.
    enum Call {
        /// - isTransposed: whether the weights are `[taps, outputs, inputs]`, as they are in the gradient by the operand.
        /// - weight: `[taps, inputs, outputs]`.
        /// - packed: bytes of the weights as the kernel reads them.
        case convolution(isTransposed: Bool, weight: TensorType, packed: Int)
        /// By the weights: the operand slides over the cotangent, whose rows are its taps.
        case gradient(dilation: Int)

        /// Nil if no kernel can, or would not be faster.
        init?(_ convolution: Convolution, _ site: LoweringSite) {
            let (x, kernel) = (site.operandTypes[0], site.operandTypes[1])
            guard x.dtype == .f32, kernel.dtype == .f32, x.shape.rank == 3,
                convolution.operandDilation == [1], convolution.batchGroups == 1, convolution.featureGroups == 1,
                convolution.padding.allSatisfy({ $0.low >= 0 && $0.high >= 0 })
            else { return nil }
            let plain = Convolution.Layout.channelsLast(spatialRank: 1)
            var exchanged = plain
            exchanged.kernel.swapAt(0, 1)
            var turned = plain
            (turned.kernel, turned.result) = (plain.result, plain.kernel)
            turned.operand.swapAt(0, 1)
            turned.kernel.swapAt(0, 1)
            turned.result.swapAt(0, 1)
            switch convolution.layout {
            case plain, exchanged:
                let isTransposed = convolution.layout == exchanged
                let weight = isTransposed ? [0, 2, 1].map { kernel.shape[$0] } : kernel.shape.dimensions
                let dilation = convolution.kernelDilation[0]
                guard convolution.strides == [1], weight[0] > 1,
                    Self.pays(weight, dilation: dilation, batch: x.shape[0], rows: site.type.shape[1])
                else { return nil }
                var shape = ck_conv(
                    taps: weight[0], inputs: weight[1], outputs: weight[2], dilation: dilation, type: CK_F32,
                    block_rows: (5...8).contains(weight[0]) ? 1 : 0)
                self = .convolution(
                    isTransposed: isTransposed, weight: TensorType(.f32, Shape(weight)),
                    packed: ck_conv_packed_size(&shape) + 64)
            case turned:
                let dilation = convolution.strides[0]
                guard convolution.kernelDilation == [1],
                    Self.pays(
                        site.type.shape.dimensions, dilation: dilation, batch: x.shape[0], rows: kernel.shape[1])
                else { return nil }
                self = .gradient(dilation: dilation)
            default: return nil
            }
        }

        /// Packing the weights costs as much as some rows save, and less than a vector of channels leaves lanes idle.
        private static func pays(_ weight: [Int], dilation: Int, batch: Int, rows: Int) -> Bool {
            weight[0] <= 8 && weight[1] >= 16 && weight[2] >= 16 && batch * rows >= 40
                && (weight[0] < 5 || rows >= 6 * dilation)
        }
    }

    /// A sum as a kernel computes it: over all rows of a matrix.
    ///
    /// XLA writes a sum over many rows as windows of sums of windows, each on one thread: a tenth of an adversarial step.
    struct Sum {
        let rows: Int
        let channels: Int
        /// Summed apart, by whichever thread; their number depends on shapes alone, so that sums do not depend on threads.
        let parts: Int

        /// Nil if no kernel can, or would not be faster.
        init?(_ reduce: Reduce, of type: TensorType) {
            let count = type.shape.elementCount
            guard reduce.kind == .sum, type.dtype == .f32, count >= 1 << 15, let last = type.shape.dimensions.last
            else { return nil }
            let kept = type.shape.indices.filter { !reduce.axes.contains($0) }
            if kept.isEmpty {
                guard let width = [last, 64].first(where: { (16...4096).contains($0) && count % $0 == 0 }) else {
                    return nil
                }
                channels = width
            } else {
                guard kept.last == type.shape.rank - 1, kept.dropLast().allSatisfy({ type.shape[$0] == 1 }),
                    (8...4096).contains(last)
                else { return nil }
                channels = last
            }
            rows = count / channels
            parts = min(64, count >> 15)
        }
    }
}
