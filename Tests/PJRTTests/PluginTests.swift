import Glibc
import PJRT
import Testing

@Suite struct PluginTests {
    @Test(
        "the newer plugin has a newer API than the header",
        .enabled(if: TestPlugin.newer.isPresent, "fetch it with Tools/setup/fetch_xla.sh --skew"))
    func newerPluginIsNewer() throws {
        let pinned = try Plugin.load(path: TestPlugin.pinned.path)
        let newer = try Plugin.load(path: TestPlugin.newer.path)
        #expect(newer.apiVersion.minor > pinned.apiVersion.minor)
    }

    @Test(arguments: TestPlugin.present)
    func describesItself(_ which: TestPlugin) throws {
        let plugin = try Plugin.load(path: which.path)
        #expect(plugin.apiVersion.major == 0)
        #expect(plugin.extensions.contains(.ffi))
        #expect(plugin.extensions.contains(.layouts))
        #expect(!plugin.extensions.contains(.profiler))
        guard case .integers(let version) = try plugin.attributes["stablehlo_current_version"] else {
            Issue.record("no StableHLO version among \(try plugin.attributes)")
            return
        }
        #expect(version.count == 3)
    }

    @Test func loadingTheSameFileAgainGivesTheSamePlugin() throws {
        let plugin = try Plugin.load(path: TestPlugin.pinned.path)
        #expect(try Plugin.load(path: "\(TestPlugin.folder)/../.xla/\(TestPlugin.pinned.rawValue)") === plugin)
    }

    @Test func flagsAfterLoadingAreRefused() throws {
        let plugin = try Plugin.load(path: TestPlugin.pinned.path)
        #expect(throws: PluginError.flagsTooLate(path: plugin.path, flags: ["--xla_dump_to=/nowhere"])) {
            try Plugin.load(path: plugin.path, xlaFlags: ["--xla_dump_to=/nowhere"])
        }
    }

    @Test func aFileThatIsNoLibraryIsNamedWithTheReason() throws {
        let path = #filePath
        let error = try #require(throws: PluginError.self) { try Plugin.load(path: path) }
        guard case .unloadable(path, let reason) = error else {
            Issue.record("unexpected \(error)")
            return
        }
        #expect(reason.contains("ELF"))
        #expect(error.description.contains("make setup"))
    }

    @Test func aLibraryThatIsNoPluginIsRefused() throws {
        let libraries = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"]
        let path = try #require(libraries.first { access($0, R_OK) == 0 })
        let error = try #require(throws: PluginError.self) { try Plugin.load(path: path) }
        #expect(error.description.contains("GetPjrtApi"))
    }

    @Test(arguments: TestPlugin.present)
    func clientDescribesItsDevices(_ which: TestPlugin) throws {
        let client = try which.client(devices: 3)
        #expect(client.platformName == "cpu")
        #expect(!client.platformVersion.isEmpty)
        #expect(client.processIndex == 0)
        #expect(client.devices.map(\.id) == [0, 1, 2])
        #expect(client.addressableDevices == client.devices)
        let device = client.devices[1]
        #expect(device.kind == "cpu")
        #expect(device.description == "cpu:1")
        #expect(try device.debugDescription.contains("1"))
        #expect(try device.attributes.isEmpty)
        #expect(try device.memoryStatistics == nil)
    }

    @Test func compatibilityKeyTellsPluginsApart() throws {
        let keys = try TestPlugin.present.map { try $0.client().compatibilityKey }
        #expect(Set(keys).count == TestPlugin.present.count)
        #expect(try TestPlugin.pinned.client().compatibilityKey == keys[0])
    }

    @Test func aDeviceCountThatIsNoneIsRefused() throws {
        let plugin = try Plugin.load(path: TestPlugin.pinned.path)
        for count in [0, -1, "four", true] as [NamedValue] {
            #expect(throws: ClientOptionError.cpuDeviceCount(count)) {
                try Client(plugin: plugin, options: ["cpu_device_count": count])
            }
        }
    }

    /// XLA's older CPU plugins ignore options they do not know.
    @Test(
        .enabled(if: TestPlugin.newer.isPresent, "fetch it with Tools/setup/fetch_xla.sh --skew"),
        arguments: ["text", 7, [1, 2], [], 1.5, true] as [NamedValue])
    func anUnknownOptionIsThePluginsError(_ value: NamedValue) throws {
        let plugin = try Plugin.load(path: TestPlugin.newer.path)
        let error = #expect(throws: PJRTError.self) { try Client(plugin: plugin, options: ["no_such_option": value]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.operation == "create a client")
        #expect(error?.message.contains("no_such_option") == true)
    }
}
