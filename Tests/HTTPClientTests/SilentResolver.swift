import Foundation

/// Stands before the C library's function of this name in the whole process: asked for a name below `silent.test` it
/// says nothing for a while, as with a DNS server that is dead; every other name is looked up as ever.
@_cdecl("getaddrinfo")
func lookUp(
    _ name: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?,
    _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    if let name, String(cString: name).hasSuffix("silent.test") {
        sleep(4)
        return EAI_AGAIN
    }
    typealias LookUp =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
            UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
        ) -> Int32
    guard let next = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo") else {
        return EAI_SYSTEM
    }
    return unsafeBitCast(next, to: LookUp.self)(name, service, hints, result)
}
