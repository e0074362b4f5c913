/// What was measured. Times in microseconds until they are printed.
struct Figures {
    var requests = 0
    var good = 0
    var chunks = 0
    var firstEvents: [Int64] = []
    var totals: [Int64] = []
    var lags: [Int64] = []
    var errors: [String: Int] = [:]

    mutating func fail(_ kind: String) { errors[kind, default: 0] += 1 }

    func json(seconds: Double) -> String {
        let kinds = errors.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        let members = [
            #""requests":\#(requests)"#, #""good":\#(good)"#, #""chunks":\#(chunks)"#,
            #""seconds":\#(rounded(seconds))"#,
            #""per_second":\#(rounded(Double(requests) / max(seconds, 1e-9)))"#,
            #""first_event_ms":\#(percentiles(firstEvents))"#,
            #""total_ms":\#(percentiles(totals))"#, #""lag_ms":\#(percentiles(lags))"#,
            #""errors":{\#(kinds.joined(separator: ","))}"#,
        ]
        return "{" + members.joined(separator: ",") + "}"
    }

    private func percentiles(_ times: [Int64]) -> String {
        guard !times.isEmpty else { return "null" }
        let sorted = times.sorted()
        func at(_ share: Double) -> String {
            rounded(Double(sorted[Int(Double(sorted.count - 1) * share)]) / 1000)
        }
        return #"{"p50":\#(at(0.5)),"p99":\#(at(0.99)),"max":\#(at(1))}"#
    }

    private func rounded(_ value: Double) -> String {
        String((value * 1000).rounded() / 1000)
    }
}
