@main enum Archway { static func main() {} }
