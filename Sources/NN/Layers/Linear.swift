public import Tensor

/// `x · weight + bias` on the last axis.
public struct Linear: Module {
    /// `[inputs, outputs]`.
    public let weight: Parameter
    /// `[outputs]`.
    public let bias: Parameter?

    public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .lecunNormal) {
        weight = Parameter([inputs, outputs], initializer)
        self.bias = bias ? Parameter([outputs], .zeros) : nil
    }

    /// `x`: `[…, inputs]` → `[…, outputs]`.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        precondition(
            x.rank >= 2 && x.shape[x.rank - 1] == weight.shape[0],
            "a linear layer of \(weight.shape[0]) inputs got \(x.shape)", file: file, line: line)
        let y = matmul(x, weight.tensor(as: x.dtype), file: file, line: line)
        return bias.map { y + $0.tensor(as: x.dtype) } ?? y
    }
}

/// A learned vector for each of a fixed number of symbols.
public struct Embedding: Module {
    /// `[count, width]`.
    public let weight: Parameter

    /// Starts normal with variance `1 / width`.
    public init(_ count: Int, _ width: Int, initializer: Initializer? = nil) {
        weight = Parameter([count, width], initializer ?? .normal(1 / Double(max(1, width)).squareRoot()))
    }

    /// `indices`: i32 of any shape → `[…, width]` f32. An index outside is taken as the nearest one inside.
    public func callAsFunction(_ indices: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        weight.tensor.gathering(indices, file: file, line: line)
    }
}
