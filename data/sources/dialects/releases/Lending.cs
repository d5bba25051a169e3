using System;
using System.Collections.Generic;
using static System.Math;
using Json = System.Text.Json;
using Pairs = System.Collections.Generic.Dictionary<string, int>;
global using System.Linq;

namespace Shop.Lending
{
    public delegate bool Rule(Loan loan);

    [Flags]
    public enum State : byte { Open = 1, Closed }

    public interface ILender<T> where T : class
    {
        string Name { get; }
        T Lend(int days);
        void Close() { Log("close"); }
    }

    public record Loan(string Title, DateTime Until) { public bool Late() => Until < DateTime.Now; }
    public record struct Money(decimal Amount, string Currency);
    public readonly struct Span { public int Size() => 1; }

    namespace Inner.Deep { class Hidden { } }

    [Serializable]
    public abstract partial class Desk<T> : Base, ILender<T> where T : class
    {
        private readonly Dictionary<string, int> counts = new Dictionary<string, int>();
        private int count = Start();
        public event EventHandler? Done;
        public const int Limit = 3;
        public string Name { get => count > 0 ? "busy" : "free"; set { Check(value); } }
        public int this[int index] => counts.Count + index;

        static Desk() { Register(); }
        public Desk(Clock clock) : base(clock) { Warm(clock); }
        ~Desk() { Release(); }

        [Obsolete("x")]
        public async Task<T> Lend(int days)
        {
            if (days > Limit && count > 0 || counts.ContainsKey("a")) throw new InvalidOperationException("no");
            for (int i = 0; i < 3; i++) this.Step(i);
            foreach (var (name, number) in counts) Console.WriteLine(name);
            foreach (var key in counts.Keys) Use(key);
            while (count > 0) count--;
            do { count++; } while (count < 2);
            var rest = await Later<T>(days) ?? default;
            switch (days)
            {
                case 0: return null;
                case 1:
                case 2: Two(); break;
                case > 5 when count > 3: break;
                default: Other(); break;
            }
            var text = days switch { 0 => "none", 1 or 2 => "few", _ => "many" };
            try { rest?.Open(); rest!.Shut(); } catch (Exception e) when (e.Message != null) { Log(e.Message); } finally { End(); }
            Func<int, int> twice = x => x * 2;
            int Local(int y) { return y + twice(y); }
            Loan short1 = new("t", DateTime.Now);
            var anon = new { A = Make(), B = 2 };
            int[] numbers = new int[Size()];
            return rest;
        }

        public static Desk<T> operator +(Desk<T> a, Desk<T> b) => a;
        public static implicit operator int(Desk<T> desk) => desk.count;
        void ILender<T>.Close() { base.Close(); }
        protected internal virtual void Hook<U>(U value) where U : struct { }
        partial void OnDone();

        private sealed class Slip { internal void Print() { global::System.Console.WriteLine(nameof(Slip)); } }
    }

    public static class Extensions { public static bool IsLate(this Loan loan) => loan.Late(); }
}
