import TestSupport
import Testing

@testable import Tensor

@Suite struct ElementwiseTests {
    static let fixture = Result { try Fixture("tensor_elementwise") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values: [ValueCase] =
        Unary.Kind.allCases.filter { $0 != .not }.map { kind in
            ValueCase(kind.rawValue) { Tensor.apply(Unary(kind: kind), $0) }
        }
        + arithmetic.map { kind in ValueCase(kind.rawValue) { Tensor.apply(Binary(kind: kind), $0) } }
        + extremesOfNaN
        + [
            ValueCase("power") { [$0[0].power($0[1])] },
            ValueCase("atan2") { [atan2($0[0], $0[1])] },
            ValueCase("signOfZero") { inputs in
                let x = inputs[0]
                return [-x, x.sign(), x.floor(), x.sqrt(), x.sin(), x * -1, x / 2].map { 1 / $0 }
            },
            ValueCase("integers") { inputs in
                let kinds = arithmetic + [.and, .or, .xor, .shiftLeft, .shiftRightLogical]
                return kinds.map { Tensor.apply(Binary(kind: $0), inputs)[0] } + [!inputs[0]]
            },
            ValueCase("signedIntegers") { [-$0[0], $0[0].abs(), $0[0].sign()] },
            ValueCase("logic") { [$0[0] & $0[1], $0[0] | $0[1], $0[0] ^ $0[1], !$0[0]] },
            ValueCase("integerPower") { [$0[0].power($0[1])] },
            ValueCase("compare") { inputs in
                let (x, y) = (inputs[0], inputs[1])
                return [
                    x.equals(y), x.differs(from: y), x.isLess(than: y), x.isAtMost(y), x.isGreater(than: y),
                    x.isAtLeast(y),
                ]
            },
            ValueCase("select") { [Tensor.apply(Select(), $0)[0]] },
            ValueCase("selectBroadcast") { [select($0[0], $0[1], $0[2])] },
            ValueCase("convert") { inputs in DType.allCases.map { inputs[0].cast(to: $0) } },
            ValueCase("rounding", .exact) { [$0[0].cast(to: .bf16), $0[0].cast(to: .f16)] },
            ValueCase("bitcastU32") { [$0[0].bitcast(to: .u32)] },
            ValueCase("bitcastI32") { [$0[0].bitcast(to: .i32)] },
            ValueCase("bitcastU64") { [$0[0].bitcast(to: .u64)] },
            ValueCase("bitcastI64") { [$0[0].bitcast(to: .i64)] },
            ValueCase("bitcastU16") { [$0[0].bitcast(to: .u16)] },
            ValueCase("bitcastI16") { [$0[0].bitcast(to: .i16)] },
            ValueCase("bitcastF32", .exact) { [$0[0].bitcast(to: .f32)] },
            ValueCase("bitcastU8") { [$0[0].bitcast(to: .u8)] },
            ValueCase("barrierAndStop", .exact) { barrier($0) + [$0[0].stoppingGradient] },
            ValueCase("scalarOperators") { inputs in
                let x = inputs[0]
                return [
                    x + 2, x - 2, x * 2, x / 2, 2 + x, 2 - x, 2 * x, 2 / x, maximum(x, 0.5), minimum(x, 0.5),
                    x.clamped(-0.5, 0.5), x.squared, x.power(3), x.equals(1), x.isLess(than: 1), x.isGreater(than: 1),
                    x.isAtLeast(1),
                ]
            },
            ValueCase("broadcastingOperators") {
                [$0[0] + $0[1], $0[0] * $0[2], $0[1] - $0[2], $0[0].isLess(than: $0[1])]
            },
            ValueCase("shiftBy") { [$0[0] << 5, $0[0] >> 9] },
            ValueCase("inverseErrorFunction") { [$0[0].inverseErrorFunction()] },
            ValueCase("polynomial") { [$0[0].polynomial([2, -1, 0.5, 3])] },
        ]

    private static let extremesOfNaN: [ValueCase] = [Binary.Kind.maximum, .minimum].map { kind in
        ValueCase("\(kind.rawValue)Special") { Tensor.apply(Binary(kind: kind), $0) }
    }

    private static let arithmetic: [Binary.Kind] = [
        .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum,
    ]
}
