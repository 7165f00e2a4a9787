import Tensor
public import Tokenizer

/// A prior by which a bit that is set costs 11 bits and one that is not next to nothing.
public func dearBits(_ layout: TokenLayout) throws -> TokenPrior {
    let types = TokenPrior.types(layout: layout, past: 1, width: 1)
    let arrays = types.mapValues { HostArray(repeating: 0, type: $0) }
        .merging(["prior.headBias": HostArray(repeating: -255, type: types["prior.headBias"]!)]) { $1 }
    return try TokenPrior(arrays, layout: layout)
}
