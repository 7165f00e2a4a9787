import PJRT
import Testing

@Suite struct ExecutionTests {
    @Test(arguments: TestPlugin.present)
    func aProgramComputesItsResult(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.addThenMultiply)
        let a = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        let b = try client.makeBuffer([1, 0, -1, 2] as [Float], type: .f32, dimensions: [2, 2])
        let outputs = try executable.execute([a, b])
        #expect(outputs.count == 1)
        // (a + b) = [[2, 2], [2, 6]]; times [[1, 0], [-1, 2]].
        #expect(try outputs[0].floats() == [0, 4, -4, 12])
        #expect(try executable.execute([[a, b]])[0][0].floats() == [0, 4, -4, 12])
        #expect(!a.isDeleted && !b.isDeleted)
    }

    @Test(arguments: TestPlugin.present)
    func anExecutableDescribesItself(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.addThenMultiply)
        #expect(executable.name == "add_then_multiply")
        #expect(executable.outputCount == 1)
        #expect(try executable.outputTypes == [.f32])
        #expect(try executable.outputDimensions == [[2, 2]])
        #expect(try executable.replicaCount == 1)
        #expect(try executable.partitionCount == 1)
        #expect(executable.addressableDevices == client.devices)
        if let cost = try executable.costAnalysis {
            // 4 additions, and 2 operations for each of the 8 products.
            #expect(cost.flops == 20)
            #expect(try #require(cost.bytesAccessed) >= 48)
        } else {
            // XLA's newer CPU client estimates no costs.
            #expect(which == .newer)
        }
        let memory = try #require(try executable.memoryStatistics)
        #expect(memory.arguments == 32)
        #expect(memory.outputs == 16)
        #expect(memory.aliased == 0)
    }

    @Test(arguments: TestPlugin.present)
    func fingerprintsTellProgramsApart(_ which: TestPlugin) throws {
        let client = try which.client()
        let first = try client.compile(Program.addThenMultiply).fingerprint
        #expect(try client.compile(Program.addThenMultiply).fingerprint == first)
        guard let first else { return }
        #expect(try client.compile(Program.increment).fingerprint != first)
    }

    @Test(arguments: TestPlugin.present)
    func severalOutputsOfDifferentTypesKeepTheirOrder(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(
            """
            func.func @main(%x: tensor<3xf32>) -> (tensor<3xi1>, tensor<f32>, tensor<3x1xbf16>) {
              %zero = stablehlo.constant dense<0.0> : tensor<f32>
              %zeros = stablehlo.constant dense<0.0> : tensor<3xf32>
              %positive = stablehlo.compare GT, %x, %zeros : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
              %sum = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [0]
                : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
              %half = stablehlo.convert %x : (tensor<3xf32>) -> tensor<3xbf16>
              %column = stablehlo.reshape %half : (tensor<3xbf16>) -> tensor<3x1xbf16>
              return %positive, %sum, %column : tensor<3xi1>, tensor<f32>, tensor<3x1xbf16>
            }
            """)
        #expect(try executable.outputTypes == [.bool, .f32, .bf16])
        #expect(try executable.outputDimensions == [[3], [], [3, 1]])
        let x = try client.makeBuffer([1, -2, 4] as [Float], type: .f32, dimensions: [3])
        let outputs = try executable.execute([x])
        #expect(outputs.map(\.elementType) == [.bool, .f32, .bf16])
        #expect(outputs.map(\.dimensions) == [[3], [], [3, 1]])
        #expect(try outputs[0].toHost() == [1, 0, 1])
        #expect(try outputs[1].floats() == [3])
        // bfloat16 is the upper half of a float.
        #expect(try outputs[2].toHost() == [0x80, 0x3F, 0x00, 0xC0, 0x80, 0x40])
    }

    @Test(arguments: TestPlugin.present)
    func aProgramMayHaveNoArgumentsOrNoOutputs(_ which: TestPlugin) throws {
        let client = try which.client()
        let constant = try client.compile(
            "func.func @main() -> tensor<2xf32> { %c = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32> "
                + "return %c : tensor<2xf32> }")
        #expect(try constant.execute([])[0].floats() == [1, 2])
        let silent = try client.compile("func.func @main(%x: tensor<f32>) { return }")
        #expect(silent.outputCount == 0)
        let x = try client.makeBuffer([1] as [Float], type: .f32, dimensions: [])
        #expect(try silent.execute([x]).isEmpty)
        try silent.launch([[x]]).wait()
    }

    @Test(arguments: TestPlugin.present)
    func badProgramsGiveTheCompilersMessage(_ which: TestPlugin) throws {
        let client = try which.client()
        let syntax = #expect(throws: PJRTError.self) { try client.compile("func.func @main() { nonsense }") }
        #expect(syntax?.operation == "compile a program")
        #expect(syntax?.message.contains("nonsense") == true)
        #expect(syntax?.plugin == which.path)
        let types = #expect(throws: PJRTError.self) {
            try client.compile(
                """
                func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
                  %z = stablehlo.add %x, %y : tensor<2xf32>
                  return %z : tensor<2xf32>
                }
                """)
        }
        #expect(types?.description.contains("tensor<3xf32>") == true)
    }

    @Test(arguments: TestPlugin.present)
    func theWrongNumberOfArgumentsIsThePluginsError(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.addThenMultiply)
        let a = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        let error = #expect(throws: PJRTError.self) { try executable.execute([a]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("add_then_multiply") == true)
    }

    @Test(arguments: TestPlugin.present)
    func argumentsThatCannotFitAreRefused(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.addThenMultiply)
        let a = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        #expect(throws: ExecutionError.deviceCount(executable: "add_then_multiply", expected: 1, actual: 2)) {
            try executable.execute([[a, a], [a, a]])
        }
        let other = try which.client()
        let foreign = try other.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        #expect(throws: BufferError.otherClient(operation: "execute 'add_then_multiply'")) {
            try executable.execute([a, foreign])
        }
        let deleted = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        try deleted.delete()
        let error = #expect(throws: BufferError.self) { try executable.execute([a, deleted]) }
        #expect(error?.description.contains("argument 1") == true)
    }

    @Test(arguments: TestPlugin.present)
    func completionCanBeAwaited(_ which: TestPlugin) async throws {
        let client = try which.client()
        let executable = try client.compile(Program.addThenMultiply)
        let a = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        let execution = try executable.launch([[a, a]])
        #expect(execution.completion.count == 1)
        try await execution.completed()
        #expect(try execution.completion[0].isReady)
        try execution.wait()
        try await execution.outputs[0][0].readyEvent().completed()
        #expect(try execution.outputs[0][0].floats() == [14, 20, 30, 44])
    }

    @Test(arguments: TestPlugin.present)
    func donationDeletesTheArgument(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.increment)
        #expect(try #require(try executable.memoryStatistics).aliased == 16)
        let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
        let y = try executable.execute([x])[0]
        #expect(x.isDeleted)
        #expect(try y.floats() == [2, 3, 4, 5])
        #expect(throws: BufferError.deleted(operation: "copy a f32[4] buffer to the host", type: .f32, dimensions: [4]))
        {
            try x.toHost()
        }
        #expect(throws: BufferError.self) { try executable.execute([x]) }
        // A chain of donations, as training makes.
        let last = try (0..<100).reduce(y) { state, _ in try executable.execute([state])[0] }
        #expect(try last.floats() == [102, 103, 104, 105])
    }

    @Test(arguments: TestPlugin.present)
    func argumentsThatAreKeptAreNotDonated(_ which: TestPlugin) throws {
        let client = try which.client()
        let executable = try client.compile(Program.increment)
        let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
        let y = try executable.execute([x], keeping: [0])[0]
        #expect(!x.isDeleted)
        #expect(try y.floats() == [2, 3, 4, 5])
        #expect(try x.floats() == [1, 2, 3, 4])
    }

    @Test(arguments: TestPlugin.present)
    func aSerialisedExecutableGivesTheSameResult(_ which: TestPlugin) throws {
        let client = try which.client()
        let serialized = try client.compile(Program.addThenMultiply).serialize()
        #expect(!serialized.isEmpty)
        for options in [nil, CompileOptions()] {
            // Another client, as a later process would have.
            let later = try which.client()
            let loaded = try later.load(serialized: serialized, options: options)
            #expect(loaded.name == "add_then_multiply")
            let a = try later.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
            #expect(try loaded.execute([a, a])[0].floats() == [14, 20, 30, 44])
        }
    }

    @Test(arguments: TestPlugin.present)
    func damagedExecutablesAreRefused(_ which: TestPlugin) throws {
        let client = try which.client()
        for bytes in [[], [1, 2, 3], Array(try client.compile(Program.addThenMultiply).serialize().prefix(100))] {
            let error = #expect(throws: PJRTError.self) { try client.load(serialized: bytes) }
            #expect(error?.operation == "load a serialised executable")
        }
    }
}
