import Tensor
import XLA

extension Function {
    /// Runs on host arrays.
    func run(_ arguments: Tree<HostArray>, on engine: Engine) throws -> Tree<HostArray> {
        try self(engine.upload(arguments)).hostArrays()
    }
}

func vector(_ values: Float...) -> HostArray { HostArray(values) }
