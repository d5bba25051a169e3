package shop;

public class Main {
    public static void main(String[] args) {
        Stock stock = new Stock();
        for (String code : args) {
            try {
                stock.put(code, 1);
            } catch (IllegalArgumentException error) {
                System.err.println(error.getMessage());
            }
        }
        System.out.println(stock.take("bolt", 1));
    }
}
