import Checkpoint
import Glibc
import TestSupport
import Testing

@Suite struct DiskTests {
    let parent: TemporaryFolder
    let path: String

    init() throws {
        parent = try TemporaryFolder()
        path = parent.file("a/b")
    }

    @Test func aFolderIsMadeWithThoseAboveIt() throws {
        try Disk.createFolder(path)
        try Disk.createFolder(path)
        #expect(try Disk.entries(of: parent.file("a")) == ["b"])
    }

    /// Between the look for a folder and its creation another process may create it.
    @Test func aFolderThatSomebodyElseMakesMeanwhileWillDo() throws {
        try Disk.$beforeChange.withValue({ _, path in
            mkdir(path, 0o777)
            return nil
        }) {
            try Disk.createFolder(path)
        }
        #expect(try Disk.entries(of: parent.file("a")) == ["b"])
    }

    @Test func aFileThatSomebodyElseMakesMeanwhileIsNoFolder() throws {
        #expect(throws: FileError(path: parent.file("a"), action: .create, code: EEXIST)) {
            try Disk.$beforeChange.withValue({ _, path in
                close(creat(path, 0o666))
                return nil
            }) {
                try Disk.createFolder(path)
            }
        }
    }
}
