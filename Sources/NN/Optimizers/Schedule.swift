public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A rate that depends on the step, as a graph. The curves are optax's.
public struct Schedule: Sendable {
    private let make: @Sendable (Tensor) -> Tensor

    /// - Parameter make: from an f32 scalar, the step counted from zero, to an f32 scalar.
    public init(_ make: @escaping @Sendable (Tensor) -> Tensor) { self.make = make }

    /// `step`: i32 scalar, zero for the first → f32 scalar.
    ///
    /// Steps are exact to 2²⁴, where f32 stops counting in ones.
    public func callAsFunction(_ step: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        precondition(
            step.type == TensorType(.i32, []), "a step is an i32 scalar, not \(step.type)", file: file, line: line)
        return make(step.cast(to: .f32))
    }

    public static func constant(_ value: Double) -> Schedule { Schedule { _ in .scalar(value) } }

    /// A straight line from `start` to `end` over `steps`, then level.
    public static func linear(from start: Double, to end: Double, steps: Int) -> Schedule {
        Schedule { start + (end - start) * progress($0, steps) }
    }

    /// Half a cosine from `peak` down to `end` over `steps`, then level.
    public static func cosine(from peak: Double, to end: Double = 0, steps: Int) -> Schedule {
        Schedule { end + (peak - end) * 0.5 * (1 + (progress($0, steps) * Double.pi).cos()) }
    }

    /// `start · rate^(step / steps)`: multiplied by `rate` every `steps`, smoothly.
    public static func exponential(from start: Double, rate: Double, steps: Int) -> Schedule {
        Schedule { start * ($0 * (log(rate) / Double(steps))).exp() }
    }

    /// Up in a straight line over `warmup` steps, then half a cosine down until step `steps`.
    public static func warmupCosine(
        from start: Double = 0, peak: Double, to end: Double = 0, warmup: Int, steps: Int
    ) -> Schedule {
        linear(from: start, to: peak, steps: warmup)
            .then(after: warmup, .cosine(from: peak, to: end, steps: steps - warmup))
    }

    /// This schedule for `steps`, then `next`, which counts from there.
    public func then(after steps: Int, _ next: Schedule) -> Schedule {
        Schedule { step in
            let later = maximum(step - Double(steps), 0)
            return select(step.isLess(than: Double(steps)), make(step), next.make(later))
        }
    }
}

/// From 0 to 1 over `steps`, then 1.
private func progress(_ step: Tensor, _ steps: Int) -> Tensor {
    steps > 0 ? minimum(step / Double(steps), 1) : Tensor.ones(step.type)
}
