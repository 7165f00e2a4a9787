import PJRT
import Testing

@Suite struct MultipleDeviceTests {
    /// `x · w`, with `x` split by rows over 4 devices and `w` on each of them.
    private static let shardedProduct = """
        module @sharded attributes {mhlo.num_partitions = 4 : i32, mhlo.num_replicas = 1 : i32} {
          func.func public @main(
            %x: tensor<8x2xf32> {mhlo.sharding = "{devices=[4,1]0,1,2,3}"},
            %w: tensor<2x2xf32> {mhlo.sharding = "{replicated}"}
          ) -> (tensor<8x2xf32> {mhlo.sharding = "{devices=[4,1]0,1,2,3}"}) {
            %y = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0]
              : (tensor<8x2xf32>, tensor<2x2xf32>) -> tensor<8x2xf32>
            return %y : tensor<8x2xf32>
          }
        }
        """

    /// The same for Shardy.
    private static let shardyProduct = """
        module @sharded attributes {mhlo.num_partitions = 4 : i32, mhlo.num_replicas = 1 : i32} {
          sdy.mesh @mesh = <["data"=4]>
          func.func public @main(
            %x: tensor<8x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>},
            %w: tensor<2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}
          ) -> (tensor<8x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}) {
            %y = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0]
              : (tensor<8x2xf32>, tensor<2x2xf32>) -> tensor<8x2xf32>
            return %y : tensor<8x2xf32>
          }
        }
        """

    /// The mean of `x` over 4 copies of the program.
    private static let mean = """
        module @mean attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 4 : i32} {
          func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
            %sum = "stablehlo.all_reduce"(%x) ({
              ^bb0(%a: tensor<f32>, %b: tensor<f32>):
                %c = stablehlo.add %a, %b : tensor<f32>
                stablehlo.return %c : tensor<f32>
            }) {replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>} : (tensor<2xf32>) -> tensor<2xf32>
            %quarter = stablehlo.constant dense<0.25> : tensor<2xf32>
            %mean = stablehlo.multiply %sum, %quarter : tensor<2xf32>
            return %mean : tensor<2xf32>
          }
        }
        """

    private static let plusOne = """
        module @plus_one {
          func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
            %one = stablehlo.constant dense<1.0> : tensor<2xf32>
            %y = stablehlo.add %x, %one : tensor<2xf32>
            return %y : tensor<2xf32>
          }
        }
        """

    @Test(arguments: TestPlugin.present, [false, true])
    func aShardedProgramRunsOverFourDevices(_ which: TestPlugin, _ shardy: Bool) throws {
        let client = try which.client(devices: 4)
        let executable = try client.compile(
            shardy ? Self.shardyProduct : Self.shardedProduct,
            options: CompileOptions(partitions: 4, usesSPMDPartitioning: true, usesShardy: shardy))
        #expect(executable.addressableDevices == client.devices)
        #expect(try executable.partitionCount == 4)
        #expect(try executable.outputDimensions == [[2, 2]])
        let arguments = try client.devices.enumerated().map { index, device in
            let rows = (0..<4).map { Float(index * 4 + $0) }
            return [
                try client.makeBuffer(rows, type: .f32, dimensions: [2, 2], device: device),
                try client.makeBuffer([1, 10, 100, 1000] as [Float], type: .f32, dimensions: [2, 2], device: device),
            ]
        }
        let outputs = try executable.execute(arguments)
        for (index, list) in outputs.enumerated() {
            let x = (0..<4).map { Float(index * 4 + $0) }
            let expected = [x[0] + 100 * x[1], 10 * x[0] + 1000 * x[1], x[2] + 100 * x[3], 10 * x[2] + 1000 * x[3]]
            #expect(try list[0].floats() == expected)
            #expect(try list[0].device == client.devices[index])
        }
        #expect(throws: ExecutionError.deviceCount(executable: executable.name, expected: 4, actual: 1)) {
            try executable.execute(arguments[0])
        }
        #expect(throws: ExecutionError.raggedArguments(executable: executable.name, counts: [2, 2, 2, 1])) {
            try executable.execute(arguments[..<3] + [[arguments[3][0]]])
        }
    }

    @Test(arguments: TestPlugin.present)
    func replicasReduceOverFourDevices(_ which: TestPlugin) async throws {
        let client = try which.client(devices: 4)
        let executable = try client.compile(Self.mean, options: CompileOptions(replicas: 4))
        #expect(try executable.replicaCount == 4)
        let arguments = try client.devices.map { device in
            [try client.makeBuffer([Float(device.id), 8], type: .f32, dimensions: [2], device: device)]
        }
        let execution = try executable.launch(arguments)
        #expect(execution.completion.count == 4)
        try await execution.completed()
        for list in execution.outputs { #expect(try list[0].floats() == [1.5, 8]) }
    }

    @Test(arguments: TestPlugin.present)
    func anAssignmentChoosesTheDevice(_ which: TestPlugin) throws {
        let client = try which.client(devices: 4)
        let executable = try client.compile(Self.plusOne, options: CompileOptions(deviceAssignment: [[2]]))
        #expect(executable.addressableDevices == [client.devices[2]])
        let x = try client.makeBuffer([1, 2] as [Float], type: .f32, dimensions: [2], device: client.devices[2])
        let y = try executable.execute([x])[0]
        #expect(try y.device == client.devices[2])
        #expect(try y.floats() == [2, 3])
    }

    @Test(arguments: TestPlugin.present)
    func aPortableExecutableRunsWhereItIsTold(_ which: TestPlugin) throws {
        let client = try which.client(devices: 4)
        let executable = try client.compile(Self.plusOne, options: CompileOptions(isPortable: true))
        for device in client.devices {
            let x = try client.makeBuffer([1, 2] as [Float], type: .f32, dimensions: [2], device: device)
            let y = try executable.execute([x], device: device)[0]
            #expect(try y.device == device)
            #expect(try y.floats() == [2, 3])
        }
    }

    @Test(arguments: TestPlugin.present)
    func assignmentsOverReplicasAndPartitionsKeepTheirOrder(_ which: TestPlugin) throws {
        let client = try which.client(devices: 4)
        let program = Self.mean.replacing("num_partitions = 1", with: "num_partitions = 2")
            .replacing("num_replicas = 4", with: "num_replicas = 2")
            .replacing("dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>", with: "dense<[[0, 1]]> : tensor<1x2xi64>")
        let executable = try client.compile(
            program,
            options: CompileOptions(
                replicas: 2, partitions: 2, usesSPMDPartitioning: true, deviceAssignment: [[3, 2], [1, 0]]))
        #expect(executable.addressableDevices.map(\.id) == [3, 2, 1, 0])
    }
}
