using System;
using Text = System.Text.StringBuilder;
using static System.Math;

namespace Lending.Books
{
    public interface ILender { bool Lend(string name); }
    internal enum Level { Low, High = 3 }
    public struct Label { public string Text; }
    public record Point(int X, int Y);

    public sealed class Loan : Shelf, ILender
    {
        private const int MaxDays = 14;
        public string Name { get; private set; } = "";
        public Loan(string name) : base(name) => Name = name;
        protected static async Task<int> Fetch(int days)
        {
            foreach (var item in Items) if (item.Days > MaxDays || days < 1) await Console.Out.WriteLineAsync(item.Name);
            return Max(days, 3);
        }
        public bool Lend(string name) { return name?.Trim() is { Length: > 0 }; }
    }
}
