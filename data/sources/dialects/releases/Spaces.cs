using global::System.Linq;
using Json = global::System.Text.Json.JsonSerializer;

namespace Lending.Desk;

using Lending.Rules;

public sealed class Book { public int Open(int days) => Json::Rule.Check(days); }

internal struct Loan
{
    public void Close() { global::System.GC.Collect(); }
#if DEBUG
    [System.Obsolete]
#endif
    public void Late() { using (Shelf<Loan>.All.Open(true)) { } }
    private class Slip { }
    internal int Rest(object days) { var rest = (Lending.Rules.Days)(days); return rest - (int)(days); }
}
