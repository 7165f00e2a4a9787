import PJRT
import Tensor
import Testing
import XLA

@Suite struct FunctionTests {
    @Test func runsAScanWithItsGradient() throws {
        let engine = try Engine(platform: .cpu, cacheFolder: nil)
        let f = Function("scan", on: engine) { args in
            let x = args["x"].value
            let w = args["w"].value
            let out = scan([Tensor.zeros(TensorType(.f32, [3]))], over: [x]) { c, s in
                let n = (c[0] * w + s[0]).tanh()
                return ([n], [n * 2])
            }
            let loss = out.state[0].sum() + out.results[0].squared.sum()
            let g = gradient(of: loss, at: [x, w])
            let sorted = x.sorted(axis: 1)
            let picked = conditional(loss.isGreater(than: 0)) {
                [x + 1]
            } whenFalse: {
                [x - w]
            }
            let looped = whileLoop([Tensor.scalar(0), w]) {
                $0[0].isLess(than: 3)
            } body: {
                [$0[0] + 1, $0[1] * 2 + x.at(0)]
            }
            let spectrum = rfft(x.reshaped([12]))
            let back = irfft(spectrum, length: 12)
            return [
                "loss": .leaf(loss), "gx": .leaf(g[0]), "gw": .leaf(g[1]), "sorted": .leaf(sorted.values),
                "order": .leaf(sorted.indices), "if": .leaf(picked[0]), "while": .leaf(looped[1]), "fft": .leaf(back),
                "argmax": .leaf(x.argmax(axis: 1)), "normal": .leaf(RandomKey(seed: 1).normal([4])),
                "take": .leaf(x.gathering(Tensor.constant([2, 0], .i32))),
                "takeGrad": .leaf(
                    gradient(of: x.takingAlong(x.argmax(axis: 1).expanded(at: 1), axis: 1).sum(), at: [x])[0]),
            ]
        }
        let x = HostArray((0..<12).map { Float($0) * 0.1 - 0.5 }, shape: [4, 3])
        let out = try f(try engine.upload(["x": x, "w": HostArray([0.5 as Float, -0.5, 0.25])])).hostArrays()
        for (p, l) in zip(out.paths, out.leaves) { print(p, l.doubles) }
        #expect(f.traceCount == 1)
    }
}
