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

    /// Which is followed to its folder, but not when folders are removed.
    @Test func aLinkToAFolderLeadsToAFolder() throws {
        try Disk.createFolder(path)
        let link = parent.file("link")
        try #require(symlink(path, link) == 0)
        #expect(Disk.isFolder(link))
        try Disk.createFolder(parent.file("other"))
        try #require(symlink(path, parent.file("other/link")) == 0)
        try Disk.removeFolder(parent.file("other"))
        #expect(Disk.isFolder(path))
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
