internal import CLinux
internal import Glibc

/// A user of this system.
package struct SystemUser: Sendable {
    package let id: UInt32
    package let group: UInt32
    package let name: String

    /// Whose rights this process has (`geteuid`). Without an entry in the system's table the name is empty.
    package static var current: SystemUser {
        unsafe SystemUser(id: geteuid(), group: getegid(), name: name(of: getpwuid(geteuid())))
    }

    /// Who owns a file or folder (`stat`); nil if it is not there.
    package static func owner(of path: String) -> SystemUser? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return unsafe SystemUser(
            id: status.st_uid, group: status.st_gid, name: name(of: getpwuid(status.st_uid)))
    }

    /// The user of that name (`getpwnam`); nil if there is none. May block on a directory service: for start-up only.
    package static func named(_ name: String) -> SystemUser? {
        guard let entry = unsafe getpwnam(name) else { return nil }
        return unsafe SystemUser(
            id: entry.pointee.pw_uid, group: entry.pointee.pw_gid, name: name)
    }

    private static func name(of entry: UnsafeMutablePointer<passwd>?) -> String {
        unsafe entry.map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
    }
}
