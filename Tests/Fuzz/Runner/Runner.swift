import EventLoop
import FuzzTargets
import Glibc

/// libFuzzer's way in: one program for all targets, which the environment chooses among.
private let target = getenv("ARCHWAY_FUZZ").flatMap { FuzzTarget(rawValue: String(cString: $0)) }

/// After the first inputs, of which one or another makes what all later ones share.
nonisolated(unsafe) private var highestDescriptor: Int32 = 0
nonisolated(unsafe) private var inputs = 0

/// Called once, before all inputs.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer
) -> CInt {
    // This thread is the loop from now on.
    _ = Loop.run {}
    return 0
}

/// Called for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else { fatalError("ARCHWAY_FUZZ names no target") }
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    if let fault = target.fault(in: input) { fatalError(fault) }
    let descriptor = RecordsTarget.lowestFreeDescriptor()
    inputs += 1
    if inputs < 1000 { highestDescriptor = max(highestDescriptor, descriptor) }
    guard descriptor <= highestDescriptor + 4 else { fatalError("a descriptor is not closed") }
    return 0
}
