internal import Tensor

/// What sums of products are computed in: `Double` for floating types, `Int64` modulo 2⁶⁴ for integers, whose lower bits
/// are then the wrapped result of any narrower type.
///
/// The inner product is concrete in each, since generic arithmetic is slow in unoptimised builds.
protocol Accumulator {
    static var zero: Self { get }
    static func terms(of array: HostArray) -> [Self]
    static func rounded(_ sums: [Self], _ type: TensorType) -> HostArray
    /// `sum += Σ left[i] · right[i]`.
    static func accumulate(
        into sum: inout Self, _ left: UnsafePointer<Self>, _ right: UnsafePointer<Self>, count: Int)
}

extension DType {
    var accumulator: any Accumulator.Type { isFloating ? Double.self : Int64.self }
}

extension Double: Accumulator {
    static func terms(of array: HostArray) -> [Double] { array.doubles }
    static func rounded(_ sums: [Double], _ type: TensorType) -> HostArray { Double.array(sums, type) }

    static func accumulate(
        into sum: inout Double, _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>, count: Int
    ) {
        var (total, index) = (sum, 0)
        while index < count {
            total += left[index] * right[index]
            index += 1
        }
        sum = total
    }
}

extension Int64: Accumulator {
    static func terms(of array: HostArray) -> [Int64] {
        guard case .integer(let type) = array.dtype.element else {
            preconditionFailure("\(array.dtype.rawValue) does not accumulate in integers")
        }
        func widened<T: IntegerElement>(_: T.Type) -> [Int64] {
            T.elements(of: array).map { Int64(truncatingIfNeeded: $0) }
        }
        return widened(type)
    }

    static func rounded(_ sums: [Int64], _ type: TensorType) -> HostArray {
        guard case .integer(let element) = type.dtype.element else {
            preconditionFailure("\(type.dtype.rawValue) does not accumulate in integers")
        }
        func narrowed<T: IntegerElement>(_: T.Type) -> HostArray {
            T.array(sums.map { T(truncatingIfNeeded: $0) }, type)
        }
        return narrowed(element)
    }

    static func accumulate(
        into sum: inout Int64, _ left: UnsafePointer<Int64>, _ right: UnsafePointer<Int64>, count: Int
    ) {
        var (total, index) = (sum, 0)
        while index < count {
            total = total &+ left[index] &* right[index]
            index += 1
        }
        sum = total
    }
}
