/// The order in which candidates are asked.
extension [Candidate] {
    /// The order of the configuration, if no candidate has a weight. Else one that is drawn: who comes first, who
    /// second, each time by the weights of those that are left. Without a weight it is 1; 0 is for when all others
    /// fail.
    func drawn(using random: inout some RandomNumberGenerator) -> [Candidate] {
        guard contains(where: { $0.weight != nil }) else { return self }
        var rest = filter { $0.share > 0 }
        var order: [Candidate] = []
        while !rest.isEmpty {
            var ticket = Int.random(in: 0..<rest.reduce(0) { $0 + $1.share }, using: &random)
            let winner = rest.firstIndex { candidate in
                ticket -= candidate.share
                return ticket < 0
            }
            order.append(rest.remove(at: winner ?? 0))
        }
        return order + filter { $0.share == 0 }
    }
}

extension Candidate {
    fileprivate var share: Int { weight ?? 1 }
}
